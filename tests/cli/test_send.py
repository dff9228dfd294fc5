"""Send, trace and route explain against a running server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opencpm.cli import main
from opencpm.cli.demo_setup import prepare
from opencpm.lab.world import BOB_NUMBER, World


async def test_send_shows_what_becomes_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with World(tmp_path, prepare) as world:
        await world.start_server()
        host, port = world.server.endpoints["web"]["http"]
        monkeypatch.setenv("OPENCPM_TOKEN", world.prepared.tokens["alice"])
        monkeypatch.setenv("OPENCPM_CONFIG", str(world.prepared.config))
        server = ("--server", f"http://{host}:{port}")

        async def run(*args: str) -> Result:
            return await asyncio.to_thread(CliRunner().invoke, main, list(args))

        sent = await run("send", BOB_NUMBER, "--text", "Are you coming?", *server)
        assert sent.exit_code == 0, sent.output
        assert "delivered by sms" in sent.output
        assert world.phone.texts[-1].text == "Are you coming?"

        ident = sent.output.split("stored as ")[1].split()[0]
        trail = json.loads((await run("trace", ident, "--json")).output)["trail"]
        assert [line["step"] for line in trail][:2] == ["received", "selected"]
        shown = (await run("trace", ident[:8])).output
        assert "✓ address: tel:+12025550101 is not a subscriber: legacy network user" in shown
        assert "delivered" in shown

        plan = await run("route", "explain", BOB_NUMBER, "--json", *server)
        assert json.loads(plan.output)["chosen"]["network"] == "sms"

        world.smsc.undeliverable(BOB_NUMBER)
        failed = await run("send", BOB_NUMBER, "--text", "And now?", "--json", *server)
        assert failed.exit_code == 1
        assert "opencpm trace" in failed.output

        refused = await run("send", "sip:nobody@cpm.test", "--text", "Hi", *server)
        assert refused.exit_code == 4
        assert "opencpm trace" in refused.output

        monkeypatch.setenv("OPENCPM_TOKEN", "wrong")
        unknown = await run("send", BOB_NUMBER, "--text", "Hi", *server)
        assert unknown.exit_code == 4
        assert "opencpm user token" in unknown.output
