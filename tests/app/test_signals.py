"""Signals and the service manager."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from opencpm.app import build, signals
from opencpm.settings import Settings, SettingsError
from tests.app.settings_of import small


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(where)
        monkeypatch.setenv("NOTIFY_SOCKET", where)
        signals.tell_systemd("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    signals.tell_systemd("READY=1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    ready: list[Any] = []

    def announce(app: Any) -> None:
        ready.append(dict(app.endpoints))
        os.kill(os.getpid(), number)

    thresholds = gc.get_threshold()
    try:
        await signals.serve(build(small(tmp_path)), announce)
    finally:
        asyncio.get_running_loop().remove_signal_handler(number)
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    assert ready[0]["web"]


async def test_a_new_policy_is_taken_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    app = build(small(tmp_path))

    def wrong() -> Settings:
        raise SettingsError(["policy.order: no"])

    async with app.running():
        signals.reload(app, lambda: small(tmp_path, policy={"order": ["msn"]}))
        assert app.messaging.policy.order == ("msn",)
        signals.reload(app, wrong)
        assert app.messaging.policy.order == ("msn",)


def test_both_loops_run() -> None:
    async def which() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert signals.run(which(), "asyncio").startswith("asyncio")
    assert signals.run(which()) in ("uvloop", "asyncio.unix_events")
