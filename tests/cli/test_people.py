"""Users, accounts, contacts and preferences from the command line."""

from __future__ import annotations

import json

import pytest

from opencpm.cli.options import with_people
from opencpm.domain.address import Address
from opencpm.domain.roster import ContactRequest
from opencpm.messaging.directory import StoredDirectory
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("home")


def test_users_come_and_go(run: Run) -> None:
    assert run("user", "add", "desk", "--number", "+12025550102").exit_code == 0
    listed = json.loads(run("user", "list", "--json").output)
    assert [one["id"] for one in listed] == ["alice", "desk"]
    assert listed[1]["addresses"] == ["sip:desk@cpm.test", "tel:+12025550102"]
    assert "desk" in run("user", "list").output
    assert run("user", "remove", "desk", "--yes").exit_code == 0
    assert "desk" not in run("user", "list").output


def test_a_user_is_added_once(run: Run) -> None:
    result = run("user", "add", "alice")
    assert result.exit_code == 1
    assert "there is a user alice already" in result.output
    assert "opencpm user password alice" in result.output


def test_who_is_not_there_is_said(run: Run) -> None:
    for command in (("user", "remove", "bob", "--yes"), ("user", "password", "bob"), ("user", "token", "bob")):
        result = run(*command)
        assert result.exit_code == 1
        assert "there is no user bob" in result.output


def test_an_address_of_somebody_else_is_refused_in_words(run: Run) -> None:
    result = run("user", "add", "desk", "--number", "+12025550100")
    assert result.exit_code == 1
    assert "belongs to alice already" in result.output


def test_a_number_that_is_none_is_a_wrong_usage(run: Run) -> None:
    result = run("user", "add", "desk", "--number", "twelve")
    assert result.exit_code == 2
    assert "not a telephone number" in result.output


def test_tokens_differ(run: Run) -> None:
    tokens = {run("user", "token", "alice").output.strip() for _ in range(2)}
    assert len(tokens) == 2


def test_the_password_may_come_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCPM_PASSWORD")
    assert run("user", "password", "alice", text="another-secret\n").exit_code == 0
    empty = run("user", "password", "alice")
    assert empty.exit_code == 1
    assert "OPENCPM_PASSWORD" in empty.output


def test_accounts_are_linked(run: Run) -> None:
    assert run("account", "link", "alice", "msn", "alice@msn.test").exit_code == 0
    rows = json.loads(run("account", "list", "--json").output)
    row = {"user": "alice", "network": "msn", "address": "msn:alice@msn.test", "enabled": True}
    assert rows == [{**row, "state": "unknown", "detail": "no server is running", "since": None}]
    assert "msn:alice@msn.test" in run("account", "list").output
    assert run("account", "disable", "alice", "msn").exit_code == 0
    assert "disabled" in run("account", "list").output
    verified = run("account", "verify", "alice", "msn")
    assert verified.exit_code == 1
    assert "opencpm account enable alice msn" in verified.output
    assert run("account", "enable", "alice", "msn", "ALICE@msn.test").exit_code == 0
    assert run("account", "unlink", "alice", "msn").exit_code == 0
    assert run("account", "unlink", "alice", "msn").exit_code == 1


def test_of_several_accounts_one_is_named(run: Run) -> None:
    for name in ("alice", "a.second"):
        assert run("account", "link", "alice", "msn", f"{name}@msn.test").exit_code == 0
    several = run("account", "unlink", "alice", "msn")
    assert several.exit_code == 2
    assert "several" in several.output
    assert run("account", "unlink", "alice", "msn", "alice@msn.test").exit_code == 0
    assert [r["address"] for r in json.loads(run("account", "list", "--json").output)] == ["msn:a.second@msn.test"]


def test_an_unknown_network_names_those_there_are(run: Run) -> None:
    result = run("account", "link", "alice", "icq", "123")
    assert result.exit_code == 1
    assert "Configured: sms, msn" in result.output


def test_contacts(run: Run) -> None:
    assert run("contact", "add", "alice", "Bob", "+12025550101", "msn:bob@msn.test", "-n", "sms").exit_code == 0
    (bob,) = json.loads(run("contact", "list", "alice", "--json").output)
    assert (bob["id"], bob["addresses"], bob["networks"]) == (
        "bob",
        ["tel:+12025550101", "msn:bob@msn.test"],
        ["sms"],
    )
    assert "Bob" in run("contact", "list", "alice").output
    assert run("contact", "block", "alice", "bob").exit_code == 0
    assert "(blocked)" in run("contact", "list", "alice").output
    assert "no longer" in run("contact", "block", "alice", "bob", "--off").output
    assert run("contact", "remove", "alice", "bob").exit_code == 0
    assert run("contact", "list", "alice").output == ""
    gone = run("contact", "remove", "alice", "bob")
    assert gone.exit_code == 1
    assert "no contact 'bob'" in gone.output


def test_contact_requests(run: Run) -> None:
    carol = Address("msn", "carol@msn.test")
    asked = ContactRequest(owner="alice", network="msn", address=carol, at=1.0, name="Carol", text="It's me")

    def ask(people: StoredDirectory, _: object) -> None:
        people.book.asked(asked)

    with_people(None, ask)
    (shown,) = json.loads(run("contact", "requests", "alice", "--json").output)
    assert (shown["address"], shown["text"]) == ("msn:carol@msn.test", "It's me")
    assert "Carol" in run("contact", "requests", "alice").output
    assert run("contact", "answer", "alice", shown["id"], "accept").output == "msn:carol@msn.test: accepted\n"
    assert run("contact", "answer", "alice", shown["id"], "accept").exit_code == 1
    assert run("contact", "requests", "alice").output == ""


def test_preferences(run: Run) -> None:
    values = ("networks=sms,msn", "denied=msn", "max_segments=3", "accept_sessions=yes", "session_feedback=errors")
    assert run("preferences", "set", "alice", *values).exit_code == 0
    found = json.loads(run("preferences", "show", "alice", "--json").output)
    assert (found["networks"], found["denied"], found["max_segments"]) == (["sms", "msn"], ["msn"], 3)
    assert (found["accept_sessions"], found["session_feedback"]) == (True, "errors")
    assert "session_feedback   errors" in run("preferences", "show", "alice").output


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("colour=red", "there are networks"),
        ("networks", "Write NAME=VALUE"),
        ("session_feedback=loud", "It can be none, errors, all"),
        ("accept_sessions=perhaps", "Write yes or no"),
        ("max_segments=many", "invalid literal"),
    ],
)
def test_wrong_preferences_are_explained(run: Run, value: str, said: str) -> None:
    result = run("preferences", "set", "alice", value)
    assert result.exit_code == 2
    assert said in result.output


def test_an_application_has_short_codes_and_names(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCPM_PASSWORD", "shop-knows")
    assert (
        run("user", "add", "shop", "--number", "60606", "--number", "+12025550160", "--sender", "Shop").exit_code == 0
    )
    listed = json.loads(run("user", "list", "--json").output)
    shop = next(one for one in listed if one["id"] == "shop")
    assert shop["addresses"][1:] == ["tel:60606", "tel:+12025550160", "alpha:Shop"]
    refused = run("user", "add", "other", "--sender", "12345")
    assert refused.exit_code != 0
    assert "cannot be a sender" in refused.output
