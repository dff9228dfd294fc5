from __future__ import annotations

import pytest

from opencpm.protocols.mm7.status import Retry, http_meaning, meaning


@pytest.mark.parametrize(
    ("code", "reason", "retry"),
    [
        (1000, "accepted", Retry.NO),
        (1100, "accepted", Retry.NO),
        (1999, "accepted", Retry.NO),
        (2004, "content", Retry.ADAPT),
        (2006, "unknown-message", Retry.UNLINKED),
        (2999, "invalid-request", Retry.NO),
        (3000, "temporary-failure", Retry.LATER),
        (3001, "temporary-failure", Retry.FEW),
        (3003, "invalid-request", Retry.SPLIT),
        (3999, "temporary-failure", Retry.LATER),
        (4001, "authentication", Retry.ALARM),
        (4002, "unsupported", Retry.OTHER_RELEASE),
        (4007, "barred", Retry.NO),
        (4999, "rejected", Retry.NO),
        (0, "temporary-failure", Retry.LATER),
    ],
)
def test_codes(code, reason, retry):
    said = meaning(code)
    assert (said.reason, said.retry) == (reason, retry)
    assert said.accepted == (reason == "accepted")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "authentication"),
        (403, "authentication"),
        (404, "configuration"),
        (429, "temporary-failure"),
        (500, "temporary-failure"),
        (503, "temporary-failure"),
        (413, "content"),
        (400, "rejected"),
        (200, "temporary-failure"),
    ],
)
def test_http(status, reason):
    assert http_meaning(status).reason == reason
