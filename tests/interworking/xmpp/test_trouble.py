"""Everything that can happen to the link: an orderly state, a reason, nothing lost, nothing doubled without its id."""

import asyncio
import logging

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import HealthState
from opencpm.interworking.xmpp.link import Link
from opencpm.interworking.xmpp.settings import read
from opencpm.lab.xmpp import LabXmpp

from .support import ALICE_JID, Events, delivery, eventually, failed, rig
from .test_sessions import offer


async def test_before_the_link_is_up_nothing_is_sent():
    async with rig(up=False) as it:
        it.send(delivery())
        failed(await it.inbox.outcome(), Reason.NETWORK_DOWN, True)


async def test_a_wrong_secret_is_said_and_not_hammered():
    async with rig(up=False, secret="wrong") as it:
        await eventually(lambda: "not-authorized" in it.connector.health().detail)
        health = it.connector.health()
        assert health.state is HealthState.DOWN
        assert "next try in" in health.detail
        wait = float(health.detail.rpartition("next try in ")[2].split()[0])
        assert 45 < wait < 75
        assert "wrong" not in health.detail


async def test_an_unknown_component_is_said():
    async with rig(up=False, component="other.xmpp.test") as it:
        await eventually(lambda: "host-unknown" in it.connector.health().detail)


async def test_no_handshake_is_given_up(monkeypatch):
    async with LabXmpp() as server:
        server.faults.slow_handshake = True
        changes = []
        link = Link(
            read({**server.settings, "connect_timeout": 0.05}),
            lambda _: None,
            lambda _: None,
            lambda: changes.append(1),
        )
        task = asyncio.create_task(link.run())
        await eventually(lambda: "does not answer" in link.detail)
        assert not link.up
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nobody_listens():
    async with rig(up=False, port=1) as it:
        await eventually(lambda: "no link to 127.0.0.1:1" in it.connector.health().detail)


@pytest.mark.parametrize("at", [1, 2, 3, 5])
async def test_the_connection_breaks_at_any_stanza_and_each_delivery_is_settled_once(at):
    async with rig(add_contacts=False) as it:
        it.bob.sign_in()
        it.server.faults.drop_after = at
        it.send(*[delivery(f"t{n}", id=f"d{n}") for n in range(3)])
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 3)
        assert sorted(outcome.delivery_id for outcome in it.inbox.outcomes) == ["d0", "d1", "d2"]
        if at <= 4:  # three messages and the mark
            for outcome in it.inbox.outcomes:
                failed(outcome, Reason.TIMEOUT, True)
            await it.inbox.until(
                lambda: [one.state for one in it.inbox.healths][-2:] == [HealthState.DOWN, HealthState.UP]
            )
            it.send(*[delivery(f"t{n}", id=f"d{n}", attempt=2, token=2) for n in range(3)])
            await it.inbox.until(lambda: len(it.inbox.outcomes) == 6)
        assert {outcome.kind for outcome in it.inbox.outcomes[-3:]} == {OutcomeKind.ACCEPTED}
        assert {text.id for text in it.bob.texts} == {"d0", "d1", "d2"}  # doubled perhaps, by the same ids


async def test_a_server_that_confirms_nothing_is_left(monkeypatch):
    monkeypatch.setattr("opencpm.interworking.xmpp.connector._TICK", 0.01)
    async with rig(answer_timeout=0.05) as it:
        it.server.faults.silent = True
        it.send(delivery())
        failed(await it.inbox.outcome(), Reason.TIMEOUT, True)
        it.server.faults.silent = False
        await it.inbox.until(lambda: it.connector.health().state is HealthState.UP)


async def test_a_quiet_server_is_asked_whether_it_is_there(monkeypatch):
    monkeypatch.setattr("opencpm.interworking.xmpp.connector._TICK", 0.01)
    async with rig(keep_alive=0.02, answer_timeout=0.05) as it:
        await it.server.happenings.until(lambda: len(it.server.log.of("iq", "C")) > 2)
        assert it.connector.health().state is HealthState.UP
        it.server.faults.silent = True
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        assert "confirmed nothing" in it.inbox.healths[-1].detail


async def test_a_full_queue_is_congestion_and_ends():
    async with rig(queue=4, add_contacts=False) as it:
        it.server.faults.silent = True
        it.send(*[delivery(id=f"d{n}") for n in range(5)])
        failed(await it.inbox.outcome(), Reason.CONGESTION, True)
        assert it.connector.health().state is HealthState.BUSY
        assert it.connector.health().backlog == 4
        it.server.faults.silent = False
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C"))
        ours = it.server.component
        it.server.inject(f"<iq type='get' id='mark-1' from='{ours}' to='{ours}'/>")
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)
        assert len(it.inbox.outcomes) == 5


async def test_a_session_outlives_the_link():
    async with rig() as it:
        it.bob.sign_in()
        events = Events(it.inbox)
        await it.connector.open(offer(), events)
        await it.server.disconnect()
        await it.inbox.until(lambda: [one.state for one in it.inbox.healths][1:] == [HealthState.DOWN, HealthState.UP])
        it.bob.write(ALICE_JID, "still there?", thread="c1")
        await it.inbox.until(lambda: events.messages)
        assert events.ends == []


async def test_reading_stops_while_too_much_is_not_stored():
    async with rig(inbound_queue=3) as it:
        it.bob.sign_in()
        it.inbox.hold = True
        for n in range(3):
            it.bob.write(ALICE_JID, f"t{n}")
        await it.inbox.until(lambda: len(it.inbox.messages) == 3)
        for n in range(3, 6):
            it.bob.write(ALICE_JID, f"t{n}")
        assert not it.connector._link._stream.transport.is_reading()
        assert len(it.inbox.messages) == 3
        it.inbox.release()
        await it.inbox.until(lambda: len(it.inbox.messages) == 6)


async def test_the_end_is_in_good_order():
    async with rig() as it:
        it.send(delivery())
        await it.stop()
        assert it.inbox.outcomes  # settled before it ended
        assert not it.server.connected
        it.send(delivery(id="d2"))
        failed(await it.inbox.outcome(2), Reason.NETWORK_DOWN, True)


async def test_no_body_and_no_secret_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    async with rig() as it:
        it.bob.sign_in()
        it.send(delivery("a private word"))
        await it.bob.text("a private word")
        it.bob.write(ALICE_JID, "another private word")
        await it.inbox.until(lambda: it.inbox.messages)
        it.server.inject("<message><body>a third private word")
        it.server.inject("</iq>")
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        assert "not well-formed" in it.inbox.healths[-1].detail
        secret = it.server.settings["secret"]
    assert "private word" not in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize(
    "octets",
    [
        "<!DOCTYPE x [<!ENTITY lol 'lol'>]>",
        "<message><body>&lol;</body></message>",
        "</message>",
        "<a>" * 100,
        "<message><body>" + "x" * 2_000_000,
        "text between stanzas",
        "<?php system('x') ?>",
        "\x00\x00",
    ],
)
async def test_what_no_server_sends_ends_the_stream_and_nothing_else(octets):
    async with rig() as it:
        it.server.inject(octets)
        await it.inbox.until(lambda: HealthState.DOWN in {one.state for one in it.inbox.healths})
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)


@pytest.mark.parametrize(
    "stanza",
    [
        "<message/>",
        "<message from='' to=''><body>x</body></message>",
        "<message from='@@' to='//'><body>x</body></message>",
        "<presence/>",
        "<presence from='bob@xmpp.test' to='alice@cpm.xmpp.test' type='zzz'/>",
        "<presence from='bob@xmpp.test' to='cpm.xmpp.test' type='subscribe'/>",
        "<iq/>",
        "<iq type='get' id='1' from='bob@xmpp.test/x' to='cpm.xmpp.test'/>",
        "<iq type='result' id='mark-99999999999999999999999999' from='cpm.xmpp.test' to='cpm.xmpp.test'/>",
        "<unknown xmlns='urn:x'><y/></unknown>",
        "<message from='bob@xmpp.test' to='alice@cpm.xmpp.test' type='error'><error/></message>",
        "<message from='bob@xmpp.test' to='alice@cpm.xmpp.test'><received xmlns='urn:xmpp:receipts'/></message>",
        "<message from='bob@xmpp.test' to='alice@cpm.xmpp.test'><delay xmlns='urn:xmpp:delay' stamp='x'/></message>",
    ],
)
async def test_odd_stanzas_harm_nothing(stanza):
    async with rig() as it:
        it.bob.sign_in()
        it.server.inject(stanza)
        it.bob.write(ALICE_JID, "still here")
        await it.inbox.until(lambda: it.inbox.messages)
        assert [came.text for came in it.inbox.messages] == ["still here"]
        assert [one.state for one in it.inbox.healths] == [HealthState.UP]
