"""Errors, both ways."""

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.xmpp import reasons
from opencpm.protocols.xmpp.stanza_error import TYPES, StanzaError


@pytest.mark.parametrize("condition", sorted(TYPES))
def test_every_condition_has_a_meaning(condition):
    error = reasons.refused(StanzaError(condition, TYPES[condition], "because"), "bob@xmpp.test")
    assert error.detail.endswith(".")
    assert "{0}" not in error.detail
    assert error.code == f"XMPP {TYPES[condition]} {condition}: because"


@pytest.mark.parametrize(
    ("condition", "kind", "reason", "retryable"),
    [
        ("item-not-found", "cancel", Reason.UNKNOWN_ADDRESS, False),
        ("item-not-found", "wait", Reason.UNKNOWN_ADDRESS, False),
        ("service-unavailable", "cancel", Reason.UNREACHABLE, False),
        ("service-unavailable", "wait", Reason.UNREACHABLE, True),
        ("resource-constraint", "wait", Reason.CONGESTION, True),
        ("remote-server-timeout", "wait", Reason.UNDELIVERABLE, True),
        ("remote-server-not-found", "cancel", Reason.UNKNOWN_ADDRESS, False),
        ("forbidden", "auth", Reason.BARRED, False),
        ("whatever", "cancel", Reason.UNDELIVERABLE, False),
    ],
)
def test_what_conditions_mean(condition, kind, reason, retryable):
    error = reasons.refused(StanzaError(condition, kind), "bob@xmpp.test")
    assert (error.reason, error.retryable) == (reason, retryable)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_condition(reason):
    told = reasons.told(SendError(reason, retryable=True, detail="x"))
    assert told.condition in TYPES
    assert (told.type, told.text) == ("wait", "x")
    assert reasons.told(SendError(reason)).type == ""
