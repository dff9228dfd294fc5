"""Commands that ask: route explain, trace, doctor, settings, completion; and what is said without a server."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.usefixtures("home")
def test_route_explain_offline(run: Run) -> None:
    result = run("route", "explain", "+12025550101", "--from", "alice")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("send: ")
    assert "sms → tel:+12025550101: chosen" in result.output
    plan = json.loads(run("route", "explain", "+12025550101", "--from", "alice", "--json").output)
    assert plan["chosen"]["network"] == "sms"


@pytest.mark.usefixtures("home")
def test_a_route_that_is_none_fails(run: Run) -> None:
    result = run("route", "explain", "msn:bob@msn.test", "--from", "alice", "--session")
    assert result.exit_code == 1
    assert result.output.startswith("refuse: ")


@pytest.mark.usefixtures("home")
def test_route_explain_wants_a_sender(run: Run) -> None:
    assert run("route", "explain", "+12025550101").exit_code == 2
    assert "there is no user bob" in run("route", "explain", "+12025550101", "--from", "bob").output


@pytest.mark.usefixtures("home")
def test_trace_of_nothing(run: Run) -> None:
    result = run("trace", "abcdef")
    assert result.exit_code == 1
    assert "nothing is known of abcdef" in result.output


@pytest.mark.usefixtures("home")
def test_without_a_token_and_without_a_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("send", "+12025550101", "-t", "Hi").exit_code == 2
    monkeypatch.setenv("OPENCPM_TOKEN", "nonsense")
    result = run("send", "+12025550101", "-t", "Hi", "--server", "http://127.0.0.1:1")
    assert result.exit_code == 5
    assert "no server answers at http://127.0.0.1:1" in result.output
    assert run("send", "+12025550101", "-t", "Hi", "--server", "localhost").exit_code == 2


def test_without_settings(run: Run) -> None:
    result = run("user", "list")
    assert result.exit_code == 3
    assert "opencpm quickstart" in result.output


def test_wrong_settings_are_listed(run: Run, home: Path) -> None:
    text = (home / "opencpm.toml").read_text().replace("udp_port", "upd_port")
    (home / "opencpm.toml").write_text(text)
    result = run("serve")
    assert result.exit_code == 3
    assert "sip.upd_port: there is no such setting; did you mean udp_port?" in result.output


def test_doctor_says_what_is_wrong(run: Run, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = (home / "opencpm.toml").read_text().replace("port = 8080", f"port = {taken.getsockname()[1]}")
        (home / "opencpm.toml").write_text(text)
        (home / "opencpm.toml").chmod(0o644)
        result = run("doctor", "--json")
    assert result.exit_code == 1
    found = {(one["level"], one["subject"]): one for one in json.loads(result.output)}
    assert "EADDRINUSE" in found["fail", "web"]["found"]
    assert "chmod 600" in found["warn", "settings"]["todo"]
    assert "127.0.0.1:1 cannot be reached" in found["fail", "sms"]["found"]
    assert "1 users" in found["ok", "database"]["found"]
    assert "is good for" in found["ok", "certificate"]["found"]


def test_doctor_looks_whether_an_mms_centre_is_there(run: Run, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as centre, (home / "opencpm.toml").open("a") as file:
        file.write(f'[networks.mms]\ntype = "mm7"\nurl = "http://127.0.0.1:{centre.getsockname()[1]}/mm7"\n')
        file.write('[networks.other]\ntype = "mm7"\nurl = "http://127.0.0.1:1/mm7"\n')
        file.flush()
        found = {(one["level"], one["subject"]): one for one in json.loads(run("doctor", "--json").output)}
    assert "takes connections" in found["ok", "mms"]["found"]
    assert "127.0.0.1:1 cannot be reached" in found["fail", "other"]["found"]


def test_doctor_without_settings(run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 1
    assert "FAIL  settings" in result.output


@pytest.mark.usefixtures("home")
def test_doctor_finds_a_changed_key(run: Run, home: Path) -> None:
    assert run("account", "link", "alice", "msn", "alice@msn.test").exit_code == 0
    lines = (home / "opencpm.toml").read_text().splitlines()
    lines = ['secret_key = "' + "z" * 40 + '"' if line.startswith("secret_key") else line for line in lines]
    (home / "opencpm.toml").write_text("\n".join(lines))
    found = json.loads(run("doctor", "--json").output)
    assert ("fail", "secrets") in {(one["level"], one["subject"]) for one in found}


def test_settings_page(run: Run) -> None:
    page = run("settings", "--markdown").output
    for words in ("# Settings", "## `[sip]`", "## `[[policy.routes]]`", "`secret_key`", "(required)"):
        assert words in page
    assert json.loads(run("settings", "--schema").output)["properties"]["domain"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Run, shell: str) -> None:
    assert "_OPENCPM_COMPLETE" in run("completion", shell).output
