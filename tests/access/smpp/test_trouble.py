"""What goes wrong: broken PDUs, deaf and dying applications; and the habits of some."""

import asyncio

import pytest

from opencpm.domain.message import Message, Part
from opencpm.protocols.smpp.command import Command

from .esme import sm
from .house import ALICE_NUMBER, SHOP, house


@pytest.mark.parametrize(
    ("octets", "command", "status"),
    [
        ("00000014 00000004 00000000 00000009 ffffffff", 0x80000004, 0x02),  # a body that is none
        ("00000010 00000004 00000000 00000009", 0x80000004, 0x02),  # no body
        ("00000010 00000077 00000000 00000009", 0x80000000, 0x03),  # no such command
        ("00000010 00000022 00000000 00000009", 0x80000000, 0x03),  # param_retrieve of 3.3
        ("00000010 00000111 00000000 00000009", 0x80000000, 0x03),  # broadcast_sm of 5.0
        ("00000010 00000005 00000000 00000009", 0x80000005, 0x04),  # deliver_sm is not for an ESME to send
    ],
)
async def test_a_poison_pdu_costs_only_itself(tmp_path, octets, command, status):
    async with house(tmp_path) as one, one.esme() as esme:
        esme.write(bytes.fromhex(octets))
        answer = await esme.until(lambda: [pdu for pdu in esme.pdus if pdu.sequence == 9])
        assert (answer[0].command, answer[0].status) == (command, status)
        assert (await esme.submit(sm("still here", ALICE_NUMBER)))[0] == 0


async def test_a_broken_stream_ends_that_connection_alone(tmp_path):
    async with house(tmp_path) as one, one.esme() as good, one.esme() as bad:
        bad.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await bad.until(lambda: bad.closed)
        assert [pdu.command for pdu in bad.pdus][-1] == 0x80000000
        assert (await good.submit(sm("still here", ALICE_NUMBER)))[0] == 0


async def test_a_receiver_may_not_submit_and_nobody_before_the_bind(tmp_path):
    async with house(tmp_path) as one, one.esme(command=Command.BIND_RECEIVER) as esme:
        esme.write(bytes.fromhex("00000010000000040000000000000009"))
        answer = await esme.until(lambda: [pdu for pdu in esme.pdus if pdu.sequence == 9])
        assert answer[0].status == 0x04
        reader, writer = await asyncio.open_connection(*one.address)
        writer.write(bytes.fromhex("00000010000000040000000000000009"))
        assert (await reader.readexactly(16)).hex() == "00000010800000040000000400000009"
        writer.close()


async def test_who_does_not_bind_is_dropped(tmp_path):
    async with house(tmp_path, listeners=[{"port": 0, "bind_timeout": 0.05}]) as one:
        reader, writer = await asyncio.open_connection(*one.address)
        assert await reader.read() == b""
        writer.close()


async def test_one_connection_too_many_is_closed(tmp_path):
    async with house(tmp_path, listeners=[{"port": 0, "max_connections": 1}]) as one, one.esme() as esme:
        reader, writer = await asyncio.open_connection(*one.address)
        assert await reader.read() == b""
        writer.close()
        assert (await esme.submit(sm("still here", ALICE_NUMBER)))[0] == 0


async def test_an_application_that_never_answers_gets_it_again_elsewhere(tmp_path):
    async with house(tmp_path, terms={"response_timeout": 0.1}) as one, one.device() as alice:
        async with one.esme() as deaf:
            deaf.verdict = None
            await alice.message(f"tel:{SHOP}", "anybody?")
            await deaf.until(lambda: deaf.taken)
            await one.until(lambda: one.access.counters["failed"] == 1)
        async with one.esme() as esme:
            await esme.until(lambda: esme.texts)
            await one.until(lambda: [imdn.status for imdn in alice.imdns] == ["delivered"])


async def test_what_was_under_way_when_the_connection_broke_comes_again(tmp_path):
    async with house(tmp_path, terms={"window": 1}) as one, one.device() as alice:
        async with one.esme() as esme:
            esme.verdict = None
            for number in range(3):
                await alice.message(f"tel:{SHOP}", f"message {number}")
            await esme.until(lambda: esme.taken)
            assert len(esme.taken) == 1
        async with one.esme() as again:
            await again.until(lambda: len(again.texts) == 3)


async def test_two_receivers_share_the_work(tmp_path):
    one_by_one = house(tmp_path, terms={"window": 1})
    async with one_by_one as one, one.device() as alice, one.esme() as first, one.esme() as second:
        first.verdict = None
        for number in range(4):
            await alice.message(f"tel:{SHOP}", f"message {number}")
        await second.until(lambda: len(first.taken) + len(second.taken) == 4)
        assert len(first.taken) == 1


async def test_a_long_message_for_an_account_that_wants_it_in_one_piece(tmp_path):
    whole = house(tmp_path, terms={"long_messages": "payload", "default_alphabet": "latin1"})
    async with whole as one, one.device() as alice, one.esme() as esme, one.esme("bank", version=0x33) as bank:
        await alice.message(f"tel:{SHOP}", "é" * 300)
        await esme.until(lambda: esme.texts)
        (text,) = esme.texts
        assert (text.content, text.data_coding, text.message) == (b"\xe9" * 300, 3, b"")
        await alice.message("sip:bank@cpm.test", "x" * 300)
        await bank.until(lambda: len(bank.texts) == 2)


async def test_a_picture_is_not_for_an_application(tmp_path):
    part = Part("image/png", b"x")
    async with house(tmp_path) as one:
        message = Message(
            id="1", message_id="1", sender=None, recipients=(), parts=(part,), sent_at=0, received_at=0, origin="sip"
        )
        assert one.access.fit(message).error is not None


async def test_what_it_says_of_itself(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.esme(command=Command.BIND_TRANSMITTER):
        await esme.submit(sm("Hello", ALICE_NUMBER))
        told = one.access.describe()
        assert told["connections"] == 2
        (account,) = told["accounts"]
        assert account == {
            "user": "shop",
            "bound": ["bound transceiver", "bound transmitter"],
            "in hand": 0,
            "pending": 0,
        }
        assert told["counters"]["submitted"] == 1


async def test_an_idle_application_is_unbound(tmp_path):
    async with house(tmp_path, accounts={"shop": {"inactivity": 0.05}}) as one, one.esme() as esme:
        await esme.until(lambda: esme.closed)
