"""X-Mms-Response-Status, X-Mms-Retrieve-Status: meaning, and whether to try again (OMA MMS ENC §7.3.48, .50)."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

OK = 0x80
TRANSIENT_FAILURE = 0xC0
TRANSIENT_MESSAGE_NOT_FOUND_RETRIEVE = 0xC1
TRANSIENT_PARTIAL_SUCCESS = 0xC4
PERMANENT_FAILURE = 0xE0
PERMANENT_SERVICE_DENIED = 0xE1
PERMANENT_MESSAGE_FORMAT_CORRUPT = 0xE2
PERMANENT_MESSAGE_NOT_FOUND_RETRIEVE = 0xE2
PERMANENT_CONTENT_NOT_ACCEPTED = 0xE5


class Meaning(NamedTuple):
    """What a status says."""

    name: str
    """The standard's name without "error"."""
    reason: str
    """Neutral: accepted, temporary-failure, barred, invalid-request, invalid-destination, content,
    unknown-message, unsupported or rejected."""
    retryable: bool


RESPONSE = MappingProxyType(
    {
        0x80: Meaning("ok", "accepted", False),
        0x81: Meaning("unspecified", "temporary-failure", True),
        0x82: Meaning("service-denied", "barred", False),
        0x83: Meaning("message-format-corrupt", "invalid-request", False),
        0x84: Meaning("sending-address-unresolved", "invalid-destination", False),
        0x85: Meaning("message-not-found", "unknown-message", False),
        0x86: Meaning("network-problem", "temporary-failure", True),
        0x87: Meaning("content-not-accepted", "content", False),
        0x88: Meaning("unsupported-message", "unsupported", False),
        0xC0: Meaning("transient-failure", "temporary-failure", True),
        0xC1: Meaning("transient-sending-address-unresolved", "temporary-failure", True),
        0xC2: Meaning("transient-message-not-found", "temporary-failure", True),
        0xC3: Meaning("transient-network-problem", "temporary-failure", True),
        0xC4: Meaning("transient-partial-success", "temporary-failure", True),
        0xE0: Meaning("permanent-failure", "rejected", False),
        0xE1: Meaning("permanent-service-denied", "barred", False),
        0xE2: Meaning("permanent-message-format-corrupt", "invalid-request", False),
        0xE3: Meaning("permanent-sending-address-unresolved", "invalid-destination", False),
        0xE4: Meaning("permanent-message-not-found", "unknown-message", False),
        0xE5: Meaning("permanent-content-not-accepted", "content", False),
        0xE6: Meaning("permanent-reply-charging-limitations-not-met", "rejected", False),
        0xE7: Meaning("permanent-reply-charging-request-not-accepted", "rejected", False),
        0xE8: Meaning("permanent-reply-charging-forwarding-denied", "rejected", False),
        0xE9: Meaning("permanent-reply-charging-not-supported", "rejected", False),
        0xEA: Meaning("permanent-address-hiding-not-supported", "rejected", False),
        0xEB: Meaning("permanent-lack-of-prepaid", "barred", False),
    }
)
RETRIEVE = MappingProxyType(
    {
        0x80: Meaning("ok", "accepted", False),
        0xC0: Meaning("transient-failure", "temporary-failure", True),
        0xC1: Meaning("transient-message-not-found", "temporary-failure", True),
        0xC2: Meaning("transient-network-problem", "temporary-failure", True),
        0xE0: Meaning("permanent-failure", "rejected", False),
        0xE1: Meaning("permanent-service-denied", "barred", False),
        0xE2: Meaning("permanent-message-not-found", "unknown-message", False),
        0xE3: Meaning("permanent-content-unsupported", "content", False),
    }
)


def response_meaning(status: int) -> Meaning:
    """The meaning of any octet of Response-Status; unknown ones as the first of their range (§7.3.48)."""
    return _meaning(RESPONSE, status)


def retrieve_meaning(status: int) -> Meaning:
    """The meaning of any octet of Retrieve-Status; unknown ones as the first of their range."""
    return _meaning(RETRIEVE, status)


def _meaning(table: MappingProxyType[int, Meaning], status: int) -> Meaning:
    known = table.get(status)
    if known is not None:
        return known
    if status >= PERMANENT_FAILURE:
        return table[PERMANENT_FAILURE]
    return table[TRANSIENT_FAILURE] if status >= TRANSIENT_FAILURE else RESPONSE[0x81]
