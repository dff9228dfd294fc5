"""Trouble at every step of a login and of a session: an orderly state, a clear reason, nothing lost or doubled."""

import asyncio
from typing import Any

import pytest

from opencpm.domain.account import AccountState
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.session import CloseReason
from opencpm.lab.msn import LabMsn
from opencpm.lab.msn.connection import ServerConnection
from tests.interworking.msn.stage import ALICE, BOB, Events, Stage, until

COMMANDS = {
    2: ("VER", "CVR", "INF", "USR", "SYN", "CHG"),
    8: ("VER", "CVR", "USR", "SYN", "CHG"),
    12: ("VER", "CVR", "USR", "SYN", "CHG"),
    18: ("VER", "CVR", "USR", "ADL", "CHG"),
}
CALLS = {8: ("/rdr/pprdr.asp", "/login"), 18: ("/RST.srf", "FindMembership", "ABFindAll")}
STEPS = [(protocol, verb) for protocol, verbs in COMMANDS.items() for verb in verbs]
WEB_STEPS = [(protocol, call) for protocol, calls in CALLS.items() for call in calls]


async def told(stage: Stage, state: AccountState) -> str:
    """Wait until the user was told this state of the account; returns the sentence."""
    _, _, detail = await stage.inbox.wait("account", lambda seen: seen[1] is state)
    return str(detail)


async def comes_back(stage: Stage) -> None:
    """The service works again: signed in, and a message goes through once."""
    stage.lab.faults.clear()
    await told(stage, AccountState.CONNECTED)
    await stage.bob.sign_in()
    await stage.inbox.wait("presence", lambda seen: seen[1:] == (BOB, "available"))
    (delivery,) = stage.send("all is well")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    await stage.bob.text("all is well")


def link(stage: Stage) -> None:
    stage.directory.link("alice", ALICE, stage.lab.account(ALICE).password)


# --- login -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("protocol", "verb"), STEPS)
async def test_the_connection_breaks_at_a_step_of_the_login(lab: LabMsn, protocol: int, verb: str) -> None:
    lab.faults.drop.add(verb)
    async with Stage(lab, protocol=protocol) as stage:
        link(stage)
        assert "closed" in await told(stage, AccountState.UNREACHABLE)
        await comes_back(stage)


@pytest.mark.parametrize(("protocol", "verb"), STEPS)
async def test_no_answer_to_a_step_of_the_login(lab: LabMsn, protocol: int, verb: str) -> None:
    lab.faults.silent.add(verb)
    async with Stage(lab, protocol=protocol, step_timeout=0.1) as stage:
        link(stage)
        assert verb in await told(stage, AccountState.UNREACHABLE)
        lab.faults.clear()
        await told(stage, AccountState.CONNECTED)


@pytest.mark.parametrize(("protocol", "verb"), STEPS)
@pytest.mark.parametrize(("code", "state"), [(600, AccountState.UNREACHABLE), (911, AccountState.BAD_CREDENTIALS)])
async def test_an_error_at_a_step_of_the_login(
    lab: LabMsn, protocol: int, verb: str, code: int, state: AccountState
) -> None:
    lab.faults.errors[verb] = code
    async with Stage(lab, protocol=protocol) as stage:
        link(stage)
        detail = await told(stage, state)
        assert (str(code) in detail) or state is AccountState.BAD_CREDENTIALS


@pytest.mark.parametrize(("protocol", "call"), WEB_STEPS)
@pytest.mark.parametrize("trouble", ["silent", "503", "nonsense", "refused"])
async def test_a_web_service_fails_during_the_login(lab: LabMsn, protocol: int, call: str, trouble: str) -> None:
    match trouble:
        case "silent":
            lab.faults.web_silent.add(call)
        case "503":
            lab.faults.web_status[call] = 503
        case "nonsense":
            lab.faults.web_status[call] = 200
        case _:
            lab.faults.web_faults[call] = "ServiceUnavailable"
            lab.faults.web_status[call] = 404
    async with Stage(lab, protocol=protocol, step_timeout=0.3) as stage:
        link(stage)
        detail = await told(stage, AccountState.UNREACHABLE)
        assert lab.account(ALICE).password not in detail
        lab.faults.clear()
        await told(stage, AccountState.CONNECTED)


@pytest.mark.parametrize("protocol", [2, 8, 15, 18])
async def test_a_wrong_password_is_tried_once(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        stage.directory.link("alice", ALICE, "wrong")
        detail = await told(stage, AccountState.BAD_CREDENTIALS)
        assert "link the account again" in detail
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).error.reason is Reason.AUTHENTICATION
        assert len(lab.log.of("VER", direction="C")) == 1
        link(stage)
        await told(stage, AccountState.CONNECTED)
        assert len(lab.log.of("VER", direction="C")) == 2


@pytest.mark.parametrize("protocol", [2, 8, 18])
async def test_a_login_elsewhere_is_not_fought(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        elsewhere = lab.buddy(ALICE)
        await elsewhere.sign_in()
        await told(stage, AccountState.ELSEWHERE)
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).error.reason is Reason.UNREACHABLE
        assert elsewhere.online
        stage.directory.unlink(ALICE)
        link(stage)  # the user takes it back
        await elsewhere.happened.wait(lambda it: it.what == "failed" and "OTH" in it.text)
        await until(lambda: [seen[1] for seen in stage.inbox.of("account")][-1] is AccountState.CONNECTED)


@pytest.mark.parametrize(("why", "least"), [("SSD", 48.0), ("RCT 10", 480.0)])
async def test_the_service_sends_everybody_away_for_a_while(lab: LabMsn, why: str, least: float) -> None:
    async with Stage(lab) as stage:
        await stage.sign_in()
        lab.kick(ALICE, why)
        detail = await told(stage, AccountState.UNREACHABLE)
        assert float(detail.rpartition("next try in ")[2].removesuffix(" s")) >= least


async def test_a_connection_that_lasts_a_moment_does_not_reset_the_pause(
    lab: LabMsn, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def pause(ending: Any, failures: int, settings: Any, chance: float) -> float:
        counted.append(failures)
        return 0.001

    monkeypatch.setattr("opencpm.interworking.msn.account.pause", pause)
    async with Stage(lab) as stage:
        await stage.sign_in()
        for times in range(1, 6):
            lab.disconnect(ALICE, "NS")
            await until(lambda: len(counted) == times)  # noqa: B023
            await until(lambda: [seen[1] for seen in stage.inbox.of("account")][-1] is AccountState.CONNECTED)
    assert counted == [1, 2, 3, 4, 5]
    counted.clear()
    async with Stage(lab, stable_after=0.0) as stage:
        await stage.sign_in()
        for times in range(1, 4):
            lab.disconnect(ALICE, "NS")
            await until(lambda: len(counted) == times)  # noqa: B023
            await until(lambda: [seen[1] for seen in stage.inbox.of("account")][-1] is AccountState.CONNECTED)
    assert counted == [1, 1, 1]


async def test_redirected_to_another_server(lab: LabMsn) -> None:
    async with LabMsn() as front:
        front.account(ALICE, lab.account(ALICE).password)
        host, port = lab.notification_server
        front._world.faults.redirect = f"{host}:{port}"
        async with Stage(lab, server=":".join(map(str, front.notification_server))) as stage:
            link(stage)
            await told(stage, AccountState.CONNECTED)
            assert lab.is_online(ALICE)
            assert not front.is_online(ALICE)


# --- what the service writes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 8, 12, 15, 18])
@pytest.mark.parametrize("size", [1, 7])
async def test_any_fragmentation(lab: LabMsn, monkeypatch: pytest.MonkeyPatch, protocol: int, size: int) -> None:
    def write(self: Any, data: bytes) -> None:
        for at in range(0, len(data), size):
            if self._transport is not None:
                self._transport.write(data[at : at + size])

    monkeypatch.setattr(ServerConnection, "_write", write)
    await the_whole_way(lab, protocol)


@pytest.mark.parametrize("protocol", [2, 12, 18])
async def test_a_slow_service(lab: LabMsn, protocol: int) -> None:
    lab.faults.delay = 0.02
    await the_whole_way(lab, protocol)


@pytest.mark.parametrize("protocol", [2, 12, 18])
async def test_pipelined_with_commands_that_nobody_knows(
    lab: LabMsn, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    written = ServerConnection._write

    def write(self: Any, data: bytes) -> None:
        written(self, b"FOO 1 2 3\r\n\r\nNOT 5\r\nhello" + data + b"ZZZ\r\nUBN a@b.c 3 4\r\nxxxx")

    monkeypatch.setattr(ServerConnection, "_write", write)
    await the_whole_way(lab, protocol)


async def the_whole_way(lab: LabMsn, protocol: int) -> None:
    """Signing in, a message, an answer."""
    async with Stage(lab, protocol=protocol) as stage:
        link(stage)
        await told(stage, AccountState.CONNECTED)
        bob = stage.bob
        bob.dialects = (f"MSNP{protocol}",)
        await bob.sign_in()
        await stage.inbox.wait("presence", lambda seen: seen[1:] == (BOB, "available"))
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        assert await bob.text("hello")
        bob.chat.send("hi")
        assert (await stage.inbox.wait("received")).text == "hi"


@pytest.mark.parametrize("line", [b"MSG Hotmail Hotmail x\r\n", b"UBX 1:bob@msn.test 9999999\r\n", b"\xff" * 9000])
async def test_a_wrong_length_ends_in_a_new_connection(lab: LabMsn, line: bytes) -> None:
    async with Stage(lab) as stage:
        await stage.sign_in()
        connection = lab.account(ALICE).connection
        assert connection is not None
        connection._write(line)
        await told(stage, AccountState.UNREACHABLE)
        await until(lambda: [seen[1] for seen in stage.inbox.of("account")][-1] is AccountState.CONNECTED)


# --- session -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["XFR", "USR", "CAL"])
async def test_a_break_at_each_step_of_opening_a_session(stage: Stage, verb: str) -> None:
    stage.lab.faults.drop.add(verb)
    with pytest.raises(Exception) as caught:
        await stage.connector.open(stage.offer(), Events())
    error: Any = caught.value
    assert error.reason in (Reason.NETWORK_DOWN, Reason.TIMEOUT)
    assert error.retryable
    assert "MSN" in error.detail
    stage.lab.faults.clear()
    await until(lambda: stage.connector.describe()["accounts"][0]["state"] == "signed in")
    await stage.inbox.wait("presence", lambda seen: seen[1:] == (BOB, "available"))
    leg = await stage.connector.open(stage.offer(), Events())
    assert await leg.close(CloseReason.NORMAL) == "OUT, connection closed"


@pytest.mark.parametrize("times", [1, 3])
async def test_texts_of_a_session_arrive_once_and_in_order_over_breaks(stage: Stage, times: int) -> None:
    events = Events()
    leg = await stage.connector.open(stage.offer(), events)
    texts = [f"text {number}" for number in range(6 * times)]
    for number, text in enumerate(texts):
        leg.send([stage.delivery(text)])
        if number % 6 == 5:
            await stage.bob.text(text)
            await until(lambda: len(events.of("settled")) == number + 1)  # noqa: B023
            stage.lab.disconnect("", "SB")
            await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    assert [it.text for it in stage.bob.happened.all if it.what == "text"] == texts
    assert all(outcome.kind is OutcomeKind.ACCEPTED for outcome in events.of("settled"))
    assert len({outcome.delivery_id for outcome in events.of("settled")}) == len(texts)


async def test_everything_breaks_while_a_message_is_on_its_way(stage: Stage) -> None:
    stage.lab.faults.swallow = True
    (delivery,) = stage.send("hello")
    await until(lambda: stage.lab.log.of("MSG", direction="C", account=ALICE))
    await stage.lab.down()
    outcome = await stage.outcome(delivery)
    assert outcome.error.retryable
    await asyncio.sleep(0)
    assert len(stage.inbox.of("settled")) == 1
