"""A quickstarted folder and a way to run commands in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opencpm.cli import main

Run = Callable[..., Result]
PASSWORD = "a-long-secret"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("user", "list")`` with the folder's settings; a failure is the test's to look at."""
    monkeypatch.setenv("OPENCPM_CONFIG", str(tmp_path / "opencpm.toml"))
    monkeypatch.setenv("OPENCPM_PASSWORD", PASSWORD)
    monkeypatch.delenv("OPENCPM_TOKEN", raising=False)

    def command(*args: str, text: str = "") -> Result:
        return CliRunner().invoke(main, list(args), input=text)

    return command


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Path:
    """A folder with settings, a certificate and Alice; networks that nobody serves."""
    result = run("quickstart", "--dir", str(tmp_path), "--number", "+12025550100")
    assert result.exit_code == 0, result.output
    with (tmp_path / "opencpm.toml").open("a") as file:
        file.write('\n[networks.sms]\ntype = "sms"\nhost = "127.0.0.1"\nport = 1\n')
        file.write('\n[networks.msn]\ntype = "msn"\nserver = "127.0.0.1:1"\nnexus_url = "http://127.0.0.1:1/"\n')
    return tmp_path
