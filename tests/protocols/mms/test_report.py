from __future__ import annotations

import pytest

from opencpm.protocols.mms.report import outcome, was_read


@pytest.mark.parametrize(
    ("status", "state", "final"),
    [
        ("Retrieved", "delivered", True),
        ("EXPIRED", "failed", True),
        ("Unrecognized", "failed", True),
        ("Not-Supported", "failed", True),
        ("Unreachable", "failed", False),
        ("Forwarded", "pending", False),
        ("Deferred", "pending", False),
        ("Indeterminate", "unknown", False),
        ("Nonsense", "unknown", False),
    ],
)
def test_outcomes(status, state, final):
    assert outcome(status)[:2] == (state, final)


def test_read():
    assert was_read("Read") is True
    assert was_read("Deleted without being read") is False
    assert was_read("?") is None
