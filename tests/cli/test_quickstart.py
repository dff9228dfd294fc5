"""The first configuration."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from opencpm import settings
from opencpm.cli.certificate import days_left, self_signed
from tests.cli.conftest import PASSWORD, Run


def test_it_writes_what_can_be_used(home: Path, run: Run) -> None:
    found = settings.load(home / "opencpm.toml")
    assert found.domain == "cpm.test"
    assert len(found.secret_key) >= 43
    assert stat.S_IMODE((home / "opencpm.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "tls-key.pem").stat().st_mode) == 0o600
    assert run("serve", "--check").output == "the settings can be used\n"


def test_it_never_overwrites(home: Path, run: Run) -> None:
    before = (home / "opencpm.toml").read_bytes()
    result = run("quickstart", "--dir", str(home))
    assert result.exit_code == 1
    assert "exists already" in result.output
    assert (home / "opencpm.toml").read_bytes() == before


def test_a_password_is_made_up_and_shown_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCPM_PASSWORD")
    said = json.loads(run("quickstart", "--dir", str(tmp_path / "a"), "--json").output)
    assert len(said["password"]) >= 16
    assert said["token"]
    assert said["next"].startswith("opencpm serve --config")
    assert said["password"] not in (tmp_path / "a" / "opencpm.toml").read_text()


def test_a_given_password_is_not_shown(run: Run, tmp_path: Path) -> None:
    result = run("quickstart", "--dir", str(tmp_path / "a"))
    assert result.exit_code == 0
    assert PASSWORD not in result.output


def test_secrets_differ(run: Run, tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        run("quickstart", "--dir", str(tmp_path / name))
        keys.add(settings.load(tmp_path / name / "opencpm.toml").secret_key)
    assert len(keys) == 2


def test_the_certificate_is_for_the_domain() -> None:
    certificate, key = self_signed("cpm.example.com")
    assert days_left(certificate) > 700
    assert b"PRIVATE KEY" in key
    with pytest.raises(ValueError):
        days_left(b"nothing")
