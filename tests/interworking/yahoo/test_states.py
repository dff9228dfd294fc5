"""How an account is, what is done about it by itself, and what is left to its user."""

from __future__ import annotations

import pytest

from opencpm.domain.account import AccountState
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import HealthState
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.services import METHOD_TABLES, Service
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, Stage, until


def told(stage: Stage) -> list[AccountState]:
    return [state for _, state, _ in stage.inbox.of("account")]


def detail(stage: Stage) -> str:
    return str(stage.inbox.of("account")[-1][2])


@pytest.mark.parametrize("version", [9, 10, 15, 16])
async def test_signed_in(lab: LabYahoo, version: int) -> None:
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        assert told(stage) == [AccountState.CONNECTING, AccountState.CONNECTED]
        assert detail(stage) == f"signed in (version {version})"
        described = stage.connector.describe()
        assert described["accounts"][0]["contacts"] == 1
        assert lab.account(ALICE).password not in str(described)
    assert not lab.is_online(ALICE)
    assert lab.log.of("LOGOFF", direction="C", user=ALICE)


@pytest.mark.parametrize("version", [10, 16])
async def test_a_wrong_password_is_not_tried_again(lab: LabYahoo, version: int) -> None:
    async with Stage(lab, version=version) as stage:
        stage.link("wrong")
        await until(lambda: AccountState.BAD_CREDENTIALS in told(stage))
        assert "link the account again" in detail(stage)
        attempts = len(lab.log.of("VERIFY", direction="C"))
        (delivery,) = stage.send("hello")
        outcome = await stage.outcome(delivery)
        assert outcome.error is not None
        assert outcome.error.reason is Reason.AUTHENTICATION
        await until(lambda: stage.connector.health().state is HealthState.UP)  # the network stands
        stage.directory.appear("alice", note="something else changed")
        assert len(lab.log.of("VERIFY", direction="C")) == attempts == 1
        stage.link()  # the right one
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_an_unknown_id(lab: LabYahoo) -> None:
    async with Stage(lab) as stage:
        stage.directory.link("alice", "eve@yahoo.test", "secret")
        await until(lambda: AccountState.BAD_CREDENTIALS in told(stage))
        assert detail(stage).startswith("there is no such id (3)")


@pytest.mark.parametrize("address", ["a b@yahoo.test", "a:b@yahoo.test"])
async def test_what_cannot_be_an_id(lab: LabYahoo, address: str) -> None:
    async with Stage(lab) as stage:
        stage.directory.link("alice", address, "secret")
        await until(lambda: AccountState.BAD_CREDENTIALS in told(stage))
        assert lab.log.of("VERIFY") == []


@pytest.mark.parametrize("version", [10, 16])
async def test_a_login_elsewhere_is_not_fought(lab: LabYahoo, version: int) -> None:
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        other = lab.buddy(ALICE)
        other.version = version
        await other.sign_in()
        await until(lambda: told(stage)[-1] is AccountState.ELSEWHERE)
        outcome = await stage.outcome(stage.send("hello")[0])
        assert outcome.error is not None
        assert outcome.error.reason is Reason.UNREACHABLE
        assert other.online
        stage.directory.link("alice", ALICE_ADDRESS.value, lab.account(ALICE).password)  # take it back
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_the_service_is_down_and_comes_back(lab: LabYahoo) -> None:
    await lab.down()
    async with Stage(lab) as stage:
        stage.link()
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert "next try in" in detail(stage) or told(stage)[-1] is AccountState.CONNECTING
        await until(lambda: stage.connector.health().state is HealthState.DOWN)
        outcome = await stage.outcome(stage.send("hello")[0])
        assert outcome.error is not None
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.NETWORK_DOWN, True)
        await lab.up()
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)
        await until(lambda: stage.connector.health().state is HealthState.UP)


async def test_a_shut_down_is_waited_out(lab: LabYahoo) -> None:
    async with Stage(lab, reconnect_max=0.05) as stage:
        await stage.sign_in()
        lab.shut_down(ALICE)
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert any("going down" in text for _, _, text in stage.inbox.of("account"))
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_a_version_that_is_not_taken(lab: LabYahoo) -> None:
    lab.faults.method = METHOD_TABLES
    async with Stage(lab, version=12) as stage:
        stage.link()
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert "versions 11 to 14" in detail(stage)
        assert "next try in" in detail(stage)
        assert len(lab.log.of("VERIFY", direction="C")) == 1


@pytest.mark.parametrize("step", [Service.VERIFY, Service.AUTH, Service.AUTHRESP])
@pytest.mark.parametrize("version", [10, 16])
async def test_a_drop_at_each_step_of_the_login(lab: LabYahoo, step: Service, version: int) -> None:
    lab.faults.drop = {step}
    async with Stage(lab, version=version) as stage:
        stage.link()
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert any("while we signed in" in text for _, _, text in stage.inbox.of("account"))
        lab.faults.drop = set()
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)
        assert len(lab.log.of("LIST", direction="S", user=ALICE)) == 1


@pytest.mark.parametrize("step", [Service.VERIFY, Service.AUTH, Service.AUTHRESP])
@pytest.mark.parametrize("version", [10, 16])
async def test_silence_at_each_step_of_the_login(lab: LabYahoo, step: Service, version: int) -> None:
    lab.faults.silent = {step}
    async with Stage(lab, version=version, step_timeout=0.1) as stage:
        stage.link()
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert any("the server did not answer" in text for _, _, text in stage.inbox.of("account"))
        lab.faults.silent = set()
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_turned_away_at_the_door(lab: LabYahoo) -> None:
    lab.faults.refuse_hello = 7
    async with Stage(lab) as stage:
        stage.link()
        await until(lambda: AccountState.UNREACHABLE in told(stage))
        assert any("takes nobody now (7)" in text for _, _, text in stage.inbox.of("account"))


@pytest.mark.parametrize(
    ("fault", "value", "state", "words"),
    [
        ("web_status", 503, AccountState.UNREACHABLE, "status 503"),
        ("web_code", 1213, AccountState.BAD_CREDENTIALS, "locked (1213)"),
        ("web_code", 999, AccountState.UNREACHABLE, "code 999"),
        ("web_silent", True, AccountState.UNREACHABLE, "did not answer"),
    ],
)
async def test_the_login_host(lab: LabYahoo, fault: str, value: object, state: AccountState, words: str) -> None:
    setattr(lab.faults, fault, value)
    async with Stage(lab, version=16, step_timeout=0.2) as stage:
        stage.link()
        await until(lambda: state in told(stage))
        said = " ".join(text for _, _, text in stage.inbox.of("account"))
        assert words in said
        assert lab.account(ALICE).password not in said


async def test_no_secret_is_written_to_the_log(lab: LabYahoo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for version in (10, 16):
        async with Stage(lab, version=version) as stage:
            await stage.sign_in()
            stage.send("a private word")
            await stage.inbox.wait("settled")
    assert lab.account(ALICE).password not in caplog.text.replace("%", "")
    assert "a private word" not in caplog.text


async def test_unlinked_and_linked_again(stage: Stage) -> None:
    stage.directory.unlink(ALICE_ADDRESS.value)
    await until(lambda: not stage.lab.is_online(ALICE))
    with pytest.raises(SendError) as caught:
        await stage.opened()
    assert caught.value.reason is Reason.NO_ACCOUNT
    stage.link()
    await until(lambda: stage.lab.is_online(ALICE))
    await stage.seen("available")
    assert (await stage.outcome(stage.send("back")[0])).kind is OutcomeKind.ACCEPTED


async def test_a_password_that_cannot_be_read(lab: LabYahoo) -> None:
    async with Stage(lab) as stage:
        stage.directory.unreadable.add(ALICE_ADDRESS.value)
        stage.link()
        await until(lambda: AccountState.BAD_CREDENTIALS in told(stage))
        stage.directory.unreadable.clear()
        stage.link()
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_the_password_changes_while_signing_in(lab: LabYahoo) -> None:
    lab.faults.silent = {Service.AUTHRESP}
    async with Stage(lab) as stage:
        stage.link("old")
        await until(lambda: lab.log.of("AUTHRESP", direction="C", user=ALICE))
        lab.faults.silent = set()
        stage.link()
        await until(lambda: told(stage)[-1] is AccountState.CONNECTED)


async def test_sent_before_the_network_runs(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    stage = Stage(lab)
    (delivery,) = stage.send("early")
    async with stage:
        outcome = await stage.outcome(delivery)
        assert outcome.error is not None
        assert outcome.error.reason is Reason.NO_ACCOUNT


async def test_many_accounts_sign_in_a_few_at_a_time(lab: LabYahoo) -> None:
    lab.faults.delay = 0.02
    most = 0
    async with Stage(lab, sign_ons_at_a_time=3, sign_ons_per_second=0) as stage:
        for number in range(12):
            account = lab.account(f"user{number}")
            stage.directory.link(f"user{number}", f"user{number}@yahoo.test", account.password)

        def all_in() -> bool:
            nonlocal most
            states = [account["state"] for account in stage.connector.describe()["accounts"]]
            most = max(most, lab.connections - states.count("signed in"))
            return states.count("signed in") == 12

        await until(all_in)
    assert most <= 3
