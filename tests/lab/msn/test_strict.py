"""The lab is as strict as a real service: order of commands, proofs, tickets' life, list rules, sizes of payloads."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from opencpm.lab.msn import LabMsn
from opencpm.lab.msn.credentials import Credentials
from opencpm.protocols.msnp import addressbook, challenge, dialects, events, membership, oim, rst, sso
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.framing import Frame, FrameReader, encode
from opencpm.protocols.msnp.membership import Member
from opencpm.protocols.msnp.soap import Fault, HttpReply, HttpRequest

ALICE, BOB = "alice@msn.test", "bob@msn.test"
GUID = "{F52973B6-C926-4BAD-9BA8-7C1E840E4AB0}"


@pytest.fixture
async def lab() -> AsyncIterator[LabMsn]:
    async with LabMsn() as lab:
        lab.account(ALICE, "secret", "Alice")
        lab.account(BOB, "secret", "Bob")
        yield lab


class Raw:
    """A client that says what it is told to, whatever the protocol thinks of it."""

    def __init__(self, lab: LabMsn) -> None:
        self.lab = lab
        self.trid = 0
        self._frames: list[Frame] = []
        self._cut = FrameReader()

    async def __aenter__(self) -> Raw:
        self._reader, self._writer = await asyncio.open_connection(*self.lab.notification_server)
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._writer.close()

    async def ask(self, verb: str, *args: str | int, payload: bytes | None = None) -> Frame:
        """The answer to a command: the line with its transaction id."""
        self.trid += 1
        self._writer.write(encode(verb, self.trid, *args, payload=payload))
        while True:
            for frame in self._frames:
                if frame.trid == self.trid:
                    self._frames.clear()
                    return frame
            self._frames.clear()
            async with asyncio.timeout(5):
                data = await self._reader.read(4096)
            if not data:
                return Frame("EOF")
            self._frames = self._cut.feed(data)

    async def question(self, dialect: int) -> Frame:
        """Up to the server's question for a proof."""
        await self.ask("VER", f"MSNP{dialect}", "CVR0")
        await self.ask("CVR", *dialects.client_for(dialect), ALICE)
        if dialect < 8:
            await self.ask("INF")
        return await self.ask("USR", dialects.login(dialect).value, "I", ALICE)

    async def proof(self, dialect: int) -> tuple[str, ...]:
        """A good one."""
        asked = await self.question(dialect)
        wanted = events.TicketWanted(
            asked.arg(3), dialects.login(dialect), asked.arg(4), dialects.tickets_from_rst(dialect)
        )
        ticket, response = await Credentials(ALICE, "secret").answer(wanted, self.lab._where())
        return (ticket, response, GUID) if dialect >= 16 else ((ticket, response) if response else (ticket,))

    async def signed_in(self, dialect: int) -> Raw:
        answer = await self.ask("USR", dialects.login(dialect).value, "S", *await self.proof(dialect))
        assert answer.arg(1) == "OK"
        return self


# --- order of commands -------------------------------------------------------------------------------------------


async def test_nothing_before_the_login(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        for verb in ("SYN", "CHG", "XFR", "ADD", "ADL", "UUX"):
            assert (await client.ask(verb, "x", "y")).verb == "302"


async def test_no_login_without_an_agreed_version(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        assert (await client.ask("USR", "TWN", "I", ALICE)).verb == "911"


async def test_no_version_in_common(lab: LabMsn) -> None:
    lab.speak("MSNP12")
    async with Raw(lab) as client:
        assert (await client.ask("VER", "MSNP18", "CVR0")).args == ("1", "0")


@pytest.mark.parametrize("dialect", [12, 18])
async def test_no_switchboard_before_lists_and_presence(lab: LabMsn, dialect: int) -> None:
    async with Raw(lab) as client:
        await client.signed_in(dialect)
        assert (await client.ask("XFR", "SB")).verb == "913"
        await client.ask("CHG", "NLN", 0)
        assert (await client.ask("XFR", "SB")).verb == ("XFR" if dialect < 13 else "913")
        if dialect >= 13:
            await client.ask("ADL", payload=b'<ml l="1"></ml>')
            assert (await client.ask("XFR", "SB")).verb == "XFR"
        await client.ask("CHG", "HDN", 0)
        assert (await client.ask("XFR", "SB")).verb == "913"
        assert (await client.ask("CHG", "FLN", 0)).verb == "201"


@pytest.mark.parametrize(
    ("dialect", "verb"), [(18, "SYN"), (18, "ADC"), (12, "ADD"), (8, "ADC"), (12, "ADL"), (15, "UUM")]
)
async def test_commands_of_other_versions(lab: LabMsn, dialect: int, verb: str) -> None:
    async with Raw(lab) as client:
        await client.signed_in(dialect)
        payload = b"<ml></ml>" if verb in ("ADL", "UUM") else None
        args = (BOB, 1, 1) if verb == "UUM" else ("FL", BOB)
        assert (await client.ask(verb, *args, payload=payload)).verb == "502"


# --- proofs and the life of tickets ------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [2, 8, 13, 15, 18])
async def test_a_proof_is_good_once(lab: LabMsn, dialect: int) -> None:
    async with Raw(lab) as client:
        proof = await client.proof(dialect)
        login = dialects.login(dialect).value
        assert (await client.ask("USR", login, "S", *proof)).arg(1) == "OK"
    if dialect != 13:  # its ticket is good for as long as it lives
        async with Raw(lab) as other:
            await other.question(dialect)
            assert (await other.ask("USR", login, "S", *proof)).verb == "911"


@pytest.mark.parametrize("dialect", [15, 18])
async def test_a_response_with_one_octet_changed(lab: LabMsn, dialect: int) -> None:
    async with Raw(lab) as client:
        ticket, response, *place = await client.proof(dialect)
        bad = response[:-4] + ("AAA=" if response[-4:] != "AAA=" else "BBB=")
        assert (await client.ask("USR", "SSO", "S", ticket, bad, *place)).verb == "911"


async def test_a_response_for_another_nonce(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        ticket, *_ = await client.proof(18)
        secret = lab._world.tokens[ticket].secret
        response = sso.response("another nonce", secret, os.urandom(8))
        assert (await client.ask("USR", "SSO", "S", ticket, response, GUID)).verb == "911"


async def test_places_must_be_named(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        ticket, response, _ = await client.proof(18)
        assert (await client.ask("USR", "SSO", "S", ticket, response)).verb == "911"


async def test_tickets_run_out(lab: LabMsn) -> None:
    lab.token_life = -1.0
    async with Raw(lab) as client:
        assert (await client.ask("USR", "SSO", "S", *await client.proof(18))).verb == "911"


async def test_a_switchboard_ticket_is_for_one_account_and_once(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        await client.signed_in(12)
        await client.ask("CHG", "NLN", 0)
        granted = await client.ask("XFR", "SB")
        for who, expected in ((BOB, b"911"), (ALICE, b"911")):  # the first try has spent it
            reader, writer = await asyncio.open_connection(*lab._world.switchboard)
            writer.write(encode("USR", 1, who, granted.arg(4)))
            assert (await reader.readline()).startswith(expected)
            writer.close()


# --- list rules --------------------------------------------------------------------------------------------------


async def test_allowed_and_blocked_exclude_each_other(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        await client.signed_in(12)
        assert (await client.ask("ADC", "AL", f"N={BOB}")).verb == "ADC"
        assert (await client.ask("ADC", "AL", f"N={BOB}")).verb == "215"
        assert (await client.ask("ADC", "BL", f"N={BOB}")).verb == "219"
        assert (await client.ask("REM", "BL", BOB)).verb == "216"
        assert (await client.ask("REM", "AL", BOB)).verb == "REM"
        assert (await client.ask("ADC", "BL", f"N={BOB}")).verb == "ADC"
        assert (await client.ask("ADC", "RL", f"N={BOB}")).verb == "200"
        assert (await client.ask("ADC", "FL", "N=nobody@msn.test", "F=x")).verb == "208"


@pytest.mark.parametrize(
    "payload",
    [
        b"nonsense",
        b'<ml><d n="msn.test"><c n="bob" l="6" t="1"/></d></ml>',
        b"<ml>" + b" " * membership.MAX_OCTETS + b"</ml>",
        b'<ml><d n="msn.test">' + b"".join(b'<c n="u%d" l="1"/>' % n for n in range(151)) + b"</d></ml>",
    ],
)
async def test_lists_that_are_refused(lab: LabMsn, payload: bytes) -> None:
    async with Raw(lab) as client:
        await client.signed_in(18)
        assert (await client.ask("ADL", payload=payload)).verb == "241"


async def test_our_own_lists_are_within_the_limits(lab: LabMsn) -> None:
    members = [Member(f"somebody.with.a.long.name.{n}@msn.test", Lists.FL | Lists.AL) for n in range(1000)]
    async with Raw(lab) as client:
        await client.signed_in(18)
        for payload in membership.build(members, initial=True):
            assert (await client.ask("ADL", payload=payload)).arg(1) == "OK"


async def test_an_offline_message_that_is_too_long_ends_the_connection(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        await client.signed_in(18)
        assert (await client.ask("UUM", BOB, 1, 1, payload=b"\r\n\r\n" + b"x" * 1661)).verb == "EOF"


async def test_a_wrong_answer_to_the_challenge(lab: LabMsn) -> None:
    async with Raw(lab) as client:
        await client.signed_in(12)
        product = challenge.product_for(12).id
        assert (await client.ask("QRY", product, payload=b"0" * 32)).verb == "540"


# --- web services ------------------------------------------------------------------------------------------------


async def call(request: HttpRequest) -> HttpReply:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(request.url, content=request.body, headers=dict(request.headers))
    return HttpReply(answer.status_code, dict(answer.headers), answer.content)


def token(lab: LabMsn, service: str, life: float = 60.0) -> str:
    return lab._world.token(ALICE, service, time.time() + life)[0]


async def code_of(request: HttpRequest) -> str:
    """The fault that a call ends in, empty where it goes well."""
    try:
        addressbook.new_guid(await call(request))
    except Fault as fault:
        return fault.code
    return ""


async def test_the_address_book_wants_its_own_ticket_and_while_it_lives(lab: LabMsn) -> None:
    base, body = lab._where().origin, addressbook.find_all()
    good = addressbook.call(base, "ABFindAll", token(lab, rst.CONTACTS), body)
    assert addressbook.book(await call(good)).name == "Alice"
    for bad in (token(lab, rst.OFFLINE), token(lab, rst.CONTACTS, -1.0), "t=made-up&p="):
        assert await code_of(addressbook.call(base, "ABFindAll", bad, body)) == "PassportAuthFail"


async def test_memberships_exclude_each_other(lab: LabMsn) -> None:
    base, ticket = lab._where().origin, token(lab, rst.CONTACTS)

    async def change(operation: str, which: Lists) -> str:
        return await code_of(addressbook.call(base, operation, ticket, addressbook.member(operation, which, BOB)))

    assert await change("AddMember", Lists.AL) == ""
    assert await change("AddMember", Lists.AL) == "MemberAlreadyExists"
    assert await change("AddMember", Lists.BL) == "MemberOnOppositeList"
    assert await change("DeleteMember", Lists.BL) == "MemberDoesNotExist"
    assert await change("DeleteMember", Lists.AL) == ""


async def test_offline_messages_want_the_right_lock_key(lab: LabMsn) -> None:
    base = lab._where().origin
    sender = oim.Sender(ALICE, "Alice", token(lab, rst.OFFLINE), challenge.MSN_8, 15, GUID)
    with pytest.raises(Fault) as asked:
        oim.stored(await call(oim.store(base, sender, BOB, "hi", 1)))
    key = challenge.keyed_answer(asked.value.detail["LockKeyChallenge"], challenge.MSN_8)
    with pytest.raises(Fault):
        oim.stored(await call(oim.store(base, sender._replace(lock_key="0" * 32), BOB, "hi", 1)))
    assert lab.keeps(BOB) == 0
    with pytest.raises(Fault) as again:  # the wrong one was answered by another challenge
        oim.stored(await call(oim.store(base, sender._replace(lock_key=key), BOB, "hi", 1)))
    key = challenge.keyed_answer(again.value.detail["LockKeyChallenge"], challenge.MSN_8)
    oim.stored(await call(oim.store(base, sender._replace(lock_key=key), BOB, "hi", 1)))
    assert lab.keeps(BOB) == 1
    with pytest.raises(Fault, match="InvalidUser"):
        oim.stored(await call(oim.store(base, sender._replace(lock_key=key), "nobody@msn.test", "hi", 2)))


async def test_kept_messages_are_their_owner_s(lab: LabMsn) -> None:
    world = lab._world
    world.keep(lab.account(BOB), lab.account(ALICE), "Content-Type: text/plain\n\nfor Bob")
    (kept,) = lab.account(BOB).kept
    base = lab._where().origin
    with pytest.raises(Fault):
        oim.message(await call(oim.get_message(base, token(lab, rst.LEGACY), kept.id)))
    oim.stored(await call(oim.delete_messages(base, token(lab, rst.LEGACY), [kept.id])))
    assert lab.keeps(BOB) == 1
    theirs = world.token(BOB, rst.LEGACY, time.time() + 60)[0]
    assert oim.message(await call(oim.get_message(base, theirs, kept.id))).text == "for Bob"
    oim.stored(await call(oim.delete_messages(base, theirs, [kept.id])))
    assert lab.keeps(BOB) == 0


async def test_what_is_no_request(lab: LabMsn) -> None:
    origin = lab._where().origin
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(origin + "/nothing")).status_code == 404
        assert (await client.post(lab.token_url, content=b"<not xml")).status_code == 400
        assert (await client.post(origin + oim.RSI, content=b"<not xml")).status_code == 400
