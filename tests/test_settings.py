"""The settings file: what it may say, and what is said of a wrong one."""

from pathlib import Path
from typing import Any

import pytest

from opencpm import settings
from opencpm.settings import Settings, SettingsError

KEY = "k" * 43
LEAST: dict[str, Any] = {"domain": "CPM.test", "secret_key": KEY}


def problems(**values: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.parse({**LEAST, **values})
    return str(caught.value)


def test_a_domain_and_a_key_are_enough() -> None:
    found = settings.parse(LEAST)
    assert found.domain == found.realm == found.sip.realm == "cpm.test"
    assert found.local_domains == found.sip.domains == ("cpm.test",)
    assert found.policy_values().local_domains == ("cpm.test",)


def test_a_port_can_be_off() -> None:
    assert settings.parse({**LEAST, "sip": {"udp_port": "off"}}).sip.udp_port is None


def test_a_wrong_name_is_not_passed_over() -> None:
    assert "sip.udp_prt: there is no such setting; did you mean udp_port?" in problems(sip={"udp_prt": 1})


def test_a_wrong_value_is_named_with_its_meaning() -> None:
    said = problems(sip={"tcp_port": 70000})
    assert said.startswith("sip.tcp_port: 70000: ")
    assert "any free port" in said


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.parse({})
    assert [line.split(" ", 1)[0] for line in caught.value.lines] == ["domain", "secret_key"]


def test_a_wrong_secret_is_not_repeated() -> None:
    said = problems(secret_key="swordfish")
    assert said.startswith("secret_key: ")
    assert "swordfish" not in said


def test_tls_needs_a_certificate() -> None:
    assert "tls_port needs tls_certificate and tls_key" in problems(sip={"tls_port": 5061})


def test_a_network_needs_a_type_and_a_name_of_its_own() -> None:
    assert 'write type = "sms"' in problems(networks={"sms": {"port": 1}})
    assert "name of an access" in problems(networks={"sip": {"type": "sms"}})


def test_policy_reads_as_selection_wants_it() -> None:
    policy = settings.parse(
        {
            **LEAST,
            "policy": {
                "order": ["sms", "msn"],
                "allowed": ["sms"],
                "domains": {"MSN.test": "msn"},
                "limits": {"segments": 3},
                "routes": [{"prefix": "+44", "networks": ["sms"], "number_type": "mobile"}],
            },
        }
    ).policy_values()
    assert policy.order == ("sms", "msn")
    assert policy.allowed == frozenset({"sms"})
    assert policy.domains == (("msn.test", "msn"),)
    assert policy.limits.segments == 3
    assert (policy.routes[0].prefix, policy.routes[0].networks) == ("+44", ("sms",))


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "opencpm.toml"
    path.write_text(
        f'domain = "cpm.test"\nsecret_key = "{KEY}"\ndata_dir = "d"\n[sip]\ntls_certificate = "c"\ntls_key = "/k"'
    )
    found = settings.load(path)
    assert found.database == str(tmp_path / "d" / "opencpm.db")
    assert (found.sip.tls_certificate, found.sip.tls_key) == (str(tmp_path / "c"), "/k")


def test_no_file_and_no_toml_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="opencpm quickstart"):
        settings.load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("domain = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        settings.load(broken)


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.CONFIG_VARIABLE, "/etc/opencpm.toml")
    assert settings.default_path() == Path("/etc/opencpm.toml")


def test_every_setting_has_a_help_text() -> None:
    def missing(model: type[Any]) -> list[str]:
        return [name for name, field in model.model_fields.items() if not field.description]

    models = (
        Settings,
        settings.SipSettings,
        settings.WebSettings,
        settings.PolicySettings,
        settings.LimitSettings,
        settings.RouteSettings,
    )
    assert [name for model in models for name in missing(model)] == []
