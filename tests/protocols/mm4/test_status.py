from __future__ import annotations

import pytest

from opencpm.protocols.mm4.status import meaning


@pytest.mark.parametrize(
    ("code", "reason", "retryable"),
    [
        ("Ok", "accepted", False),
        ("ok", "accepted", False),
        ("0", "accepted", False),
        ("128", "accepted", False),
        ("134", "temporary-failure", True),
        ("Error-unspecified", "temporary-failure", True),
        ("Error-network-problem", "temporary-failure", True),
        ("Error-content-not-accepted", "content", False),
        ("Error-sending-address-unresolved", "invalid-destination", False),
        ("Error-transient-failure", "temporary-failure", True),
        ("Error-transient-something", "temporary-failure", True),
        ("Error-permanent-service-denied", "barred", False),
        ("Error-permanent-something", "rejected", False),
        ("Nonsense", "temporary-failure", True),
    ],
)
def test_codes(code, reason, retryable):
    assert meaning(code)[1:] == (reason, retryable)
