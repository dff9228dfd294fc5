from __future__ import annotations

import pytest

from opencpm.access.sip.session_timer import OFF, Refresh, from_request, from_response
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal


def message(**fields: str) -> Message:
    return Message("INVITE", "", 0, "", {name.replace("_", "-"): [value] for name, value in fields.items()})


@pytest.mark.parametrize(
    ("value", "supported", "refresh", "fields"),
    [
        ("1800", "timer", Refresh(1800, False), [("Require", "timer"), ("Session-Expires", "1800;refresher=uac")]),
        ("1800;refresher=UAC", "timer", Refresh(1800, False), None),
        ("900;refresher=uas", "timer", Refresh(900, True), [("Session-Expires", "900;refresher=uas")]),
        ("1800", "path", Refresh(1800, True), [("Session-Expires", "1800;refresher=uas")]),
        ("60", "path", Refresh(90, True), [("Session-Expires", "90;refresher=uas")]),
    ],
)
def test_from_request(value, supported, refresh, fields):
    found, answer = from_request(message(session_expires=value, supported=supported), 90)
    assert found == refresh
    if fields is not None:
        assert answer == fields


def test_without_a_timer():
    assert from_request(message(), 90) == (OFF, [])
    assert from_response(message()) == OFF
    assert from_response(message(session_expires="nonsense")) == OFF


@pytest.mark.parametrize(("value", "status"), [("60", 422), ("x", 400), ("-1", 400)])
def test_refused(value, status):
    with pytest.raises(Refusal) as refused:
        from_request(message(session_expires=value, supported="timer"), 90)
    assert refused.value.status == status


def test_from_response():
    assert from_response(message(session_expires="1800;refresher=uas")) == Refresh(1800, False)
    assert from_response(message(session_expires="1800;refresher=uac")) == Refresh(1800, True)


def test_due():
    assert Refresh(1800, True).due == 900
    assert Refresh(1800, False).due == 1768
    assert Refresh(90, False).due == 60
