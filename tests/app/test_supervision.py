"""Connectors that fall over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from opencpm.app import supervision
from opencpm.app.supervision import StartError, Supervised
from opencpm.domain.profile import WHOLE, Health, HealthState, Profile

PROFILE = Profile(label="Test", kind="sms", schemes=frozenset({"tel"}))


class Clock:
    def now(self) -> float:
        return 1000.0


class Inbox:
    """Takes note of what is said of health."""

    def __init__(self) -> None:
        self.told: list[Health] = []

    def health_changed(self, network: str, health: Health) -> None:
        self.told.append(health)


class Network:
    """Runs what the test wants, once for each life."""

    name = "test"
    profile = PROFILE

    def __init__(self, *lives: Callable[[], Any]) -> None:
        self.lives = list(lives)
        self.steady = asyncio.Event()
        self.sent: list[Any] = []
        self.endpoints: dict[str, tuple[str, int]] = {}

    async def run(self, inbox: Any) -> None:
        if self.lives:
            self.lives.pop(0)()
        self.endpoints["tcp"] = ("127.0.0.1", 1)
        self.steady.set()
        await asyncio.Event().wait()

    def send(self, deliveries: Any) -> None:
        self.sent.append(deliveries)

    def fit(self, message: Any) -> Any:
        return WHOLE

    def reach(self, owner: str, target: Any) -> Any:
        return None

    def composing(self, *args: Any) -> None:
        self.sent.append(args)

    async def open(self, offer: Any, events: Any) -> Any:
        return offer

    def health(self) -> Health:
        return Health(HealthState.UP, "fine")

    def describe(self) -> dict[str, Any]:
        return {"a": 1}


def fall() -> None:
    raise RuntimeError("it broke")


async def test_a_fault_while_starting_ends_the_start() -> None:
    def taken() -> None:
        raise OSError(98, "cannot listen on 127.0.0.1:5060: address in use")

    supervised = Supervised(Network(taken), Clock())
    with pytest.raises(StartError, match=r"test cannot start: .*address in use"):
        await supervised.run(Inbox())


async def test_a_fault_later_is_seen_in_health_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.0)
    network, inbox = Network(fall), Inbox()
    supervised = Supervised(network, Clock())
    supervised.started()
    running = asyncio.create_task(supervised.run(inbox))
    await network.steady.wait()
    assert [h.state for h in inbox.told] == [HealthState.DOWN]
    assert "it broke" in inbox.told[0].detail
    assert supervised.health().detail == "fine"
    running.cancel()


async def test_while_it_pauses_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 60.0)
    heard = asyncio.Event()
    inbox = Inbox()
    inbox.health_changed = lambda network, health: heard.set()  # type: ignore[method-assign]
    supervised = Supervised(Network(fall), Clock())
    supervised.started()
    running = asyncio.create_task(supervised.run(inbox))
    await heard.wait()
    assert supervised.health().state is HealthState.DOWN
    assert not supervised.listening
    running.cancel()


async def test_everything_else_is_the_connectors_own() -> None:
    network = Network()
    supervised = Supervised(network, Clock())
    assert not supervised.listening
    network.endpoints["tcp"] = ("127.0.0.1", 5)
    assert supervised.listening
    supervised.send(["one"])  # type: ignore[list-item]
    assert network.sent == [["one"]]
    assert (supervised.name, supervised.profile, supervised.describe()) == ("test", PROFILE, {"a": 1})
    assert await supervised.open("offer", None) == "offer"  # type: ignore[arg-type,comparison-overlap]
