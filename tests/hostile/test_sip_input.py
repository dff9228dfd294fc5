"""Bad SIP at the running server: SIP's own error or silence, and the next good request works."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from pathlib import Path

import pytest

from opencpm.lab.device import Entry
from opencpm.protocols import cpim
from tests.hostile.house import ALICE, BOB, PATIENCE, House, house, raw, read_sip, request

GARBAGE = [
    b"\0" * 20,
    b"hello\r\n\r\n",
    b"\xff\xfe" * 700,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"SIP/2.0 200 OK\r\n\r\n",
]
GOOD = request("OPTIONS", "sip:cpm.test")


def _without(name: str) -> bytes:
    return b"\r\n".join(line for line in GOOD.split(b"\r\n") if not line.startswith(name.encode()))


def _with(name: str, value: str) -> bytes:
    lines = [f"{name}: {value}".encode() if x.startswith(f"{name}:".encode()) else x for x in GOOD.split(b"\r\n")]
    return b"\r\n".join(lines)


FLAWED = [
    (_without("From"), 400),
    (_without("Call-ID"), 400),
    (_without("CSeq"), 400),
    (_with("CSeq", "1 REGISTER"), 400),
    (_with("CSeq", "99999999999 OPTIONS"), 400),
    (_with("From", "<sip:alice@cpm.test"), 400),
    (_with("From", '"' * 5000), 400),
    (GOOD.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1), 505),
    (GOOD.replace(b"sip:cpm.test SIP", b"http://cpm.test SIP", 1), 416),
    (GOOD.replace(b"OPTIONS", b"DESTROY"), 501),
    (request("OPTIONS", "sip:cpm.test", ("Require", "mind-reading")), 420),
    (request("BYE", "sip:cpm.test", to=f"{BOB}>;tag=unknown;x=<sip:x"), 481),
]
"""Nothing of these is worth more than an answer."""


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_flawed_requests_are_answered(tmp_path: Path, transport: str) -> None:
    async with house(tmp_path) as here:
        for number, (data, status) in enumerate(FLAWED):
            fresh = data.replace(b"branch=", b"branch=z9hG4bK%d" % number)
            answer = await here.ask(fresh.replace(b"SIP/2.0/TCP", f"SIP/2.0/{transport.upper()}".encode()), transport)
            assert answer is not None, data
            assert answer.status == status, data
        await here.lives()


async def test_addresses_that_are_no_text_hurt_nobody_beside(tmp_path: Path) -> None:
    """In one segment with good requests of others, anywhere in a request that is taken or refused."""
    bad = "sip:al\udcff\udcfeice@cpm.test"
    async with house(tmp_path) as here:
        reader, writer = await asyncio.open_connection(*here.where("sip", "tcp"))
        flawed = [request("MESSAGE", bad, body=b"x"), request("MESSAGE", BOB, frm=bad, body=b"x")]
        flawed += [
            request("REGISTER", "sip:cpm.test", to=bad),
            request("MESSAGE", BOB, frm=bad).replace(b"/2.0\r", b"/7.0\r", 1),
        ]
        writer.write(GOOD + b"".join(flawed) + request("MESSAGE", BOB, body=b"x"))
        statuses = [int((await read_sip(reader))[8:11]) for _ in range(6)]
        assert statuses.count(200) == 1
        assert 500 not in statuses
        writer.close()
        await here.lives()


async def test_fields_that_are_no_text(tmp_path: Path) -> None:
    """Octets that are no UTF-8, in fields that are kept: taken or refused, stored or not, never a fault of ours."""
    odd = "\udcff\udcfe"
    fields = ["Subject", "Conversation-ID", "Contribution-ID", "InReplyTo-Contribution-ID", "Content-Disposition"]
    async with house(tmp_path) as here, here.device(BOB) as bob, here.device() as alice:
        data = b"".join(request("MESSAGE", BOB, (name, odd), body=b"hi") for name in fields)
        data += request("MESSAGE", BOB, ("Content-Type", f"text/plain;x={odd}"), body=b"hi")
        data += request("MESSAGE", BOB, body=b"hi", call_id=odd)
        data += request(
            "MESSAGE",
            BOB,
            ("Content-Type", "message/cpim"),
            body=b"Subject: \xff\r\nX.Y: \xff\r\n\r\nContent-Type: text/plain\r\nContent-ID: \xff\r\n\r\nhi",
        )
        alice.agent.flow.send(data)
        found = alice.journal.find
        await alice.journal.wait("sip.in", lambda _: len(found("sip.in", _is_answer)) >= 8, PATIENCE)
        statuses = {entry.what.split()[1] for entry in found("sip.in", _is_answer)}
        assert statuses <= {"202", "400"}
        assert (await alice.message(BOB, "the last one")).status == 202
        await bob.journal.wait("message", lambda one: one.what == "the last one", PATIENCE)
        assert len((await here.api.get("/conversations/sip:bob@cpm.test/messages"))["messages"]) > 1
        await here.lives()


def _is_answer(entry: Entry) -> bool:
    return b" MESSAGE\r\n" in entry.raw and entry.what.startswith("SIP/2.0 ")


async def test_garbage_in_datagrams_is_met_with_silence(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for data in GARBAGE:
            assert await here.ask(data, "udp") is None
        await here.lives()


async def test_garbage_on_a_stream_ends_that_stream_only(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device(BOB) as bob:
        for data in (
            GARBAGE[1],
            GARBAGE[3],
            GARBAGE[4],
            b"x" * 100_000,
            GOOD.replace(b"Content-Length: 0", b"Content-Length: 999999999"),
        ):
            assert await here.ask(data, "tcp") is None
            assert (await raw(here.where("sip", "ws"), data))[:10] in (b"", b"HTTP/1.1 4")
        assert not bob.agent.lost.is_set()
        await here.lives()


async def test_a_flawed_message_between_good_ones_on_one_stream(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        reader, writer = await asyncio.open_connection(*here.where("sip", "tcp"))
        writer.write(
            GOOD + _without("From").replace(b"branch=", b"branch=z9hG4bKx") + request("OPTIONS", "sip:cpm.test")
        )
        assert sorted([int((await read_sip(reader))[8:11]) for _ in range(3)]) == [200, 200, 400]
        writer.close()


def _cpim(body: bytes, kind: str, **ids: str) -> bytes:
    return cpim.compose(body, kind, message_id=ids.get("message_id", "m1"), datetime="2026-01-01T00:00:00Z")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b"]><imdn>&j;</imdn>"
)
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><resource-lists/>'
INFLATED = b"a" * 20_000_000
NESTED = b"".join(b"--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n" for _ in range(500))

BODIES = [
    ("message/cpim", "", b"no headers at all", 400),
    ("message/cpim", "", b"\xff" * 5000, 400),
    ("message/cpim", "", _cpim(BOMB, "message/imdn+xml"), 400),
    ("message/imdn+xml", "", BOMB, 400),
    ("message/imdn+xml", "", b"<imdn", 400),
    ("application/im-iscomposing+xml", "", BOMB, 400),
    ("multipart/mixed;boundary=b", "", NESTED, 400),
    ("multipart/mixed", "", b"no boundary", 400),
    (
        "multipart/mixed;boundary=b",
        "",
        b"--b\r\nContent-Type: application/resource-lists+xml\r\n\r\n" + EXTERNAL + b"\r\n--b--",
        400,
    ),
    (
        "multipart/mixed;boundary=b",
        "",
        b"--b\r\nContent-Type: application/resource-lists+xml\r\n\r\n" + BOMB + b"\r\n--b--",
        400,
    ),
    ("text/plain", "gzip", gzip.compress(INFLATED), 413),
    ("text/plain", "deflate", zlib.compress(INFLATED), 413),
    ("text/plain", "gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(INFLATED))), 413),
    ("text/plain", "gzip", b"no gzip", 400),
    ("text/plain", "secret", b"x", 415),
    ("text/plain", "", b"x" * 70_000, 413),
    ("application/x-unheard-of", "", b"x", 415),
]


async def test_bodies_that_cannot_be_taken(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        for kind, coding, body, status in BODIES:
            fields = [
                ("Max-Forwards", "70"),
                ("From", f"<{ALICE}>;tag=1"),
                ("To", f"<{BOB}>"),
                ("Call-ID", "c"),
                ("CSeq", "1 MESSAGE"),
            ]
            fields += [("Content-Type", kind), *([("Content-Encoding", coding)] if coding else [])]
            _, answer = await alice.agent.request("MESSAGE", BOB, fields, body)
            assert answer.status == status, (kind, coding, body[:60])
        assert (await alice.message(BOB, "good")).status == 202
        await here.lives()


TIMES = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59Z",
    "soon",
    "2026-02-30T00:00:00Z",
]


async def test_times_beyond_the_calendar(tmp_path: Path) -> None:
    """Taken, delivered, and shown in the history, whatever the device's clock says."""
    async with house(tmp_path) as here, here.device() as alice, here.device(BOB) as bob:
        for number, time in enumerate(TIMES):
            body = cpim.compose(b"when?", "text/plain", message_id=f"m{number}", datetime=time)
            fields = [
                ("Max-Forwards", "70"),
                ("From", f"<{ALICE}>;tag=1"),
                ("To", f"<{BOB}>"),
                ("Call-ID", f"c{number}"),
            ]
            fields += [("CSeq", "1 MESSAGE"), ("Content-Type", "message/cpim")]
            _, answer = await alice.agent.request("MESSAGE", BOB, fields, body)
            assert answer.status in (202, 400)
            if answer.status == 202:
                ident = f"m{number}"
                await bob.journal.wait("message", lambda one, ident=ident: one.facts["message_id"] == ident, PATIENCE)
        assert isinstance((await here.api.get("/conversations/sip:bob@cpm.test/messages"))["messages"], list)
        await here.lives()


async def test_a_flood_of_wrong_passwords_shuts_out_nobody_else(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device(BOB) as bob:
        wrong = 'Digest username="alice", realm="cpm.test", nonce="x", uri="sip:cpm.test", response="0", algorithm=MD5'
        statuses = set()
        for _ in range(30):
            answer = await here.ask(request("REGISTER", "sip:cpm.test", ("Authorization", wrong), to=ALICE))
            assert answer is not None
            statuses.add(answer.status)
        assert statuses <= {401, 403}
        assert (await bob.message(ALICE, "good")).status == 202
        await here.lives()


async def _received_by(here: House, send: bytes) -> list[bytes]:
    """What Bob's device gets after Alice's stream said something: raw octets."""
    async with here.device(BOB) as bob, here.device() as alice:
        alice.agent.flow.send(send)
        assert (await alice.message(BOB, "the last one")).status == 202
        await bob.journal.wait("message", lambda one: one.what == "the last one", PATIENCE)
        return [entry.raw for entry in bob.journal.find("sip.in")]


INJECTED = (
    "\rX-Evil: 1",
    "\nX-Evil: 1",
    "\r\n X-Evil: 1",
    "\0\nX-Evil: 1",
    "%0d%0aX-Evil:%201",
    "\u2028X-Evil: 1",
    "\x85X-Evil: 1",
)


@pytest.mark.parametrize("evil", INJECTED)
async def test_no_header_can_be_smuggled_to_a_device(tmp_path: Path, evil: str) -> None:
    places = [
        [("Subject", f"a{evil}")],
        [("Conversation-ID", f"a{evil}")],
        [("Contribution-ID", f"a{evil}")],
        [("P-Preferred-Identity", f'"a{evil}" <{ALICE}>')],
        [("Content-Disposition", f"inline{evil}")],
        [("Content-Type", f"text/plain;x=a{evil}")],
    ]
    inside = f"From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: a{evil}\r\nNS: MyNs <x:y>\r\nMyNs.H: b{evil}\r\n\r\n"
    wrapped = (inside + f"Content-Type: text/plain{evil}\r\nContent-Disposition: a{evil}\r\n\r\nhi").encode()
    async with house(tmp_path) as here:
        data = b"".join(request("MESSAGE", BOB, *fields, body=b"hi") for fields in places)
        data += request("MESSAGE", BOB, ("Content-Type", "message/cpim"), body=wrapped)
        data += request("MESSAGE", f"sip:bob{evil}@cpm.test", to=BOB, body=b"hi")
        for raw in await _received_by(here, data):
            head = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ")
            lines = head.replace(b"\r", b"\n").replace(b"\0", b"\n").split(b"\n")
            assert not any(line.lower().startswith(b"x-evil") for line in lines), raw
        await here.lives()
