from __future__ import annotations

import json
from dataclasses import replace

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import Fit
from opencpm.selection import Request, select
from opencpm.selection.explain import as_json, as_json_text, as_text
from tests.selection.cast import BOB, DOWN, OFFLINE, msn, session, sms, to_bob, to_carol

REQUESTS = [
    to_bob(),
    to_bob(sms(health=DOWN)),
    to_bob(msn(reach=OFFLINE)),
    to_carol(),
    session(to_bob()),
    to_bob(msn(fit=Fit(losses=('the "subject"', "colours")))),
    to_bob(sms(fit=Fit(error=SendError(Reason.TOO_LARGE, detail='too "long"', code="0x01")))),
    to_bob(contact=replace(BOB, blocked=True)),
    to_bob(msn(reach=OFFLINE), contact=replace(BOB, name='B"ö\n b')),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_quick_text_is_the_same_json(request_: Request) -> None:
    plan = select(request_)
    assert json.loads(as_json_text(plan)) == as_json(plan)


def test_the_keys_are_stable() -> None:
    data = as_json(select(to_bob()))
    assert set(data) == {
        "action",
        "reason",
        "chosen",
        "facts",
        "candidates",
        "error",
        "waits_for",
        "not_before",
        "expires_at",
        "max_segments",
    }
    assert data["chosen"] == {
        "network": "sms",
        "target": "tel:+12025550101",
        "source": "tel:+12025550100",
        "form": "whole",
    }
    assert data["facts"][0] == {"rule": "sender", "kept": True, "evidence": "alice may send"}
    assert set(data["candidates"][0]) == {"network", "target", "source", "kept", "notes", "losses", "form"}


def test_an_error_and_what_is_waited_for() -> None:
    data = as_json(select(to_bob(sms(health=DOWN))))
    assert (data["action"], data["waits_for"], data["chosen"]) == ("defer", "network:sms", None)
    assert set(data["error"]) == {"reason", "detail", "retryable", "code"}
    assert data["error"]["reason"] == "network-down"


def test_lines_for_a_terminal() -> None:
    lines = as_text(select(session(to_bob(sms(), msn(fit=Fit(losses=("the subject",)))))))
    assert lines[0] == "send: MSN is the one network that can carry it"
    assert "  by msn, from msn:alice@msn.test to msn:bob@msn.test" in lines
    assert "  sms → tel:+12025550101: dropped" in lines
    assert "    ✗ sessions: SMS has none" in lines
    assert "  msn → msn:bob@msn.test: chosen" in lines
    assert "    loses: the subject" in lines


def test_lines_of_a_refusal() -> None:
    error = SendError(Reason.TOO_LARGE, detail="too long", code="0x01")
    lines = as_text(select(to_bob(sms(fit=Fit(error=error)))))
    assert lines[:2] == ["refuse: too long", "  too-large (0x01)"]
    assert "  sms → tel:+12025550101: usable" in as_text(select(to_bob(sms(), msn(), route="msn")))
