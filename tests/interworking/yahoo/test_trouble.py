"""A service that cuts packets up, says what nobody knows, is slow, or is hostile: an orderly state, nothing lost."""

from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.account import AccountState
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.session import Composing
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.packet import HEADER, Packet, encode, pairs
from opencpm.protocols.ymsg.services import Service
from opencpm.transport.link import address_of
from tests.interworking.yahoo.stage import ALICE, BOB, Stage, until

NOISE = (
    encode(Packet(0xABC, 0, pairs((1, "what"), (99999, "ever"))), 0)
    + HEADER.pack(b"YMSG", 10, 0, 5, Service.MESSAGE, 1, 0)
    + b"x\xc0\x80y\xc0"
)


@pytest.mark.parametrize("piece", [1, 3, 19])
@pytest.mark.parametrize("noise", [b"", NOISE])
@pytest.mark.parametrize("version", [10, 16])
async def test_in_pieces_with_noise(lab: LabYahoo, piece: int, noise: bytes, version: int) -> None:
    bob = lab.buddies[BOB]
    await bob.sign_in()
    async with Stage(lab, version=version) as stage:
        lab.faults.piece, lab.faults.noise = piece, noise
        await stage.sign_in()
        leg, events = await stage.opened()
        leg.send([stage.delivery("one"), stage.delivery("two")])
        bob.say(ALICE, "three")
        bob.say(ALICE, "four")
        await events.wait("received", lambda m: m.text == "four")
        await until(lambda: len(events.of("settled")) == 2)
        assert {outcome.kind for outcome in events.of("settled")} == {OutcomeKind.ACCEPTED}
        await bob.text("two")
        assert [m.text for m in events.of("received")] == ["three", "four"]
        assert bob.texts() == ["one", "two"]


async def test_a_slow_service(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    await bob.sign_in()
    lab.faults.delay = 0.05
    async with Stage(lab) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        assert bob.texts() == ["hello"]


@pytest.mark.parametrize("step", [Service.MESSAGE, Service.KEEPALIVE, Service.NOTIFY, Service.ISAWAY])
async def test_a_drop_at_each_step_of_a_talk(stage: Stage, step: Service) -> None:
    """Whatever was settled as accepted is with bob, once; what was not is said to be so."""
    await stage.outcome(stage.send("before")[0])
    leg, events = await stage.opened()
    stage.lab.faults.drop_after = {step}
    deliveries = [stage.delivery(f"text {number}") for number in range(5)]
    leg.send(deliveries)
    stage.connector.composing(deliveries[0].source, deliveries[0].target, Composing(True))
    stage.directory.appear("alice", note="hm")
    await until(lambda: len(events.of("settled")) == 5)
    accepted = {outcome.delivery_id for outcome in events.of("settled") if outcome.kind is OutcomeKind.ACCEPTED}
    assert all(outcome.error.retryable for outcome in events.of("settled") if outcome.error)
    stage.lab.faults.drop_after = set()
    for delivery in deliveries:
        if delivery.id in accepted:
            await stage.bob.text(delivery.message.text)
    got = stage.bob.texts()
    assert len(got) == len(set(got))
    await until(lambda: stage.lab.is_online(ALICE))


async def test_drops_again_and_again(stage: Stage) -> None:
    """Deliveries that failed are tried again as messaging does; in the end each is with bob."""
    waiting = [stage.delivery(f"text {number}") for number in range(30)]
    for turn in range(200):
        await until(lambda: stage.lab.is_online(ALICE) and stage.presence(BOB) == "available")
        before = len(stage.inbox.of("settled"))
        stage.connector.send(waiting)
        if turn < 5:
            await asyncio.sleep(0)
            stage.lab.disconnect(ALICE)
        wanted = before + len(waiting)
        await until(lambda wanted=wanted: len(stage.inbox.of("settled")) == wanted)
        failed = {o.delivery_id for o in stage.inbox.of("settled")[before:] if o.kind is OutcomeKind.FAILED}
        waiting = [delivery for delivery in waiting if delivery.id in failed]
        if not waiting:
            break
    await until(lambda: set(stage.bob.texts()) == {f"text {number}" for number in range(30)})


HOSTILE = {
    "no YMSG": b"HTTP/1.1 200 OK\r\n\r\n",
    "half a header": b"YMSG\x00\x0a",
    "a body that never comes": HEADER.pack(b"YMSG", 10, 0, 0xFFFF, Service.AUTH, 1, 0),
    "keys without end": HEADER.pack(b"YMSG", 10, 0, 60_000, Service.LIST, 1, 0) + b"\xc0\x80" * 30_000,
    "a short challenge": encode(Packet(Service.VERIFY, 1), 0) + encode(Packet(Service.AUTH, 1, pairs((94, "x"))), 0),
    "rejected": encode(Packet(Service.PROTOCOL_ERROR, 0, pairs((66, 1))), 0),
    "thrown out at once": encode(Packet(Service.LOGOFF, 0xFFFFFFFF), 0),
    "a list without end": encode(Packet(Service.VERIFY, 1), 0)
    + encode(Packet(Service.AUTH, 1, pairs((94, "x" * 24))), 0)
    + b"".join(encode(Packet(Service.LIST, 5, pairs((87, b"x" * 60_000))), 0) for _ in range(20)),
}


@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_server(lab: LabYahoo, octets: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = address_of(server)
    async with Stage(lab, server=f"{host}:{port}", step_timeout=0.2) as stage:
        stage.link()
        await until(lambda: {state for _, state, _ in stage.inbox.of("account")} - {AccountState.CONNECTING})
        ended = [state for _, state, _ in stage.inbox.of("account") if state is not AccountState.CONNECTING]
        assert set(ended) <= {AccountState.UNREACHABLE, AccountState.ELSEWHERE}
        assert stage.inbox.of("received") == []
    server.close()


@pytest.mark.parametrize(
    "values",
    [
        ((4, BOB),),
        ((14, "nobody said it"),),
        ((4, ""), (14, "x")),
        ((4, ALICE), (14, "from myself")),
        ((4, "a b:c"), (14, "x")),
        ((4, "x" * 5000), (14, "x")),
    ],
)
async def test_texts_from_nobody(stage: Stage, values: tuple[tuple[int, str], ...]) -> None:
    stage.lab.say(ALICE, Service.MESSAGE, 1, (5, ALICE), *values)
    stage.bob.say(ALICE, "and this is from bob")
    await stage.inbox.wait("received", lambda m: m.text == "and this is from bob")
    assert stage.lab.is_online(ALICE)
    assert all(len(m.sender.value) < 600 for m in stage.inbox.of("received"))


async def test_conferences_without_end_and_strangers_without_number(stage: Stage) -> None:
    for number in range(300):
        stage.lab.say(ALICE, Service.CONFINVITE, 1, (57, f"room{number}"), (50, f"eve{number}"), (58, "x"), (13, 0))
        stage.lab.say(ALICE, Service.NOTIFY, 1, (4, f"eve{number}"), (49, "TYPING"), (13, 1))
    stage.bob.say(ALICE, "still here")
    await stage.inbox.wait("received")
    account = stage.connector.describe()["accounts"][0]
    assert account["conferences"] == 50
    assert account["talks"] == 50
