"""Refusals in no network's terms: each has a sentence, and says whether to try again."""

from __future__ import annotations

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.yahoo import reasons


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0, None),
        (2, None),
        (1, Reason.REJECTED),
        (3, Reason.UNKNOWN_ADDRESS),
        (6, Reason.REJECTED),
        (12, Reason.REJECTED),
        (13, Reason.REJECTED),
        (4711, Reason.REJECTED),
    ],
)
def test_key_66(code: int, reason: Reason | None) -> None:
    error = reasons.listed("add", "bob", code)
    assert (error and error.reason) is reason
    if error is not None:
        assert error.code == f"YMSG 66={code}"
        assert not error.retryable


ALL = [
    (reasons.unknown("bob"), False),
    (reasons.not_listed("no answer"), True),
    (reasons.offline("bob"), True),
    (reasons.unseen("bob"), True),
    (reasons.busy("bob"), False),
    (reasons.unsure("lost"), True),
    (reasons.late(), True),
    (reasons.down("stopped"), True),
    (reasons.no_account("alice"), False),
    (reasons.wrong_password("alice"), False),
    (reasons.elsewhere("alice"), False),
    (reasons.no_dispositions(), False),
]


@pytest.mark.parametrize(("error", "retryable"), ALL)
def test_each(error: SendError, retryable: bool) -> None:
    assert error.retryable is retryable
    assert error.detail.endswith(".")
    assert "Yahoo" in error.detail
