from __future__ import annotations

import pytest

from opencpm.protocols.mm1.status import response_meaning, retrieve_meaning


@pytest.mark.parametrize(
    ("status", "name", "retryable"),
    [
        (0x80, "ok", False),
        (0x86, "network-problem", True),
        (0x87, "content-not-accepted", False),
        (0xA0, "unspecified", True),
        (0xC4, "transient-partial-success", True),
        (0xDF, "transient-failure", True),
        (0xEB, "permanent-lack-of-prepaid", False),
        (0xFF, "permanent-failure", False),
    ],
)
def test_response_status(status, name, retryable):
    meaning = response_meaning(status)
    assert (meaning.name, meaning.retryable) == (name, retryable)


def test_retrieve_status():
    assert retrieve_meaning(0xE2).reason == "unknown-message"
    assert retrieve_meaning(0xC9).retryable
    assert not retrieve_meaning(0xF0).retryable
