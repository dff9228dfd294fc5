"""StatusCodes of MM7 (3GPP TS 23.140 §8.7.8.2) and of HTTP around it: reason, and whether to try again."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import NamedTuple


class Retry(Enum):
    """What to do with a submission that got this status."""

    NO = "no"
    LATER = "later"
    FEW = "few"
    """Later, at most three times."""
    ADAPT = "adapt"
    """Once more, adapted: smaller, or in other formats."""
    UNLINKED = "unlinked"
    """Once more, without the LinkedID."""
    SPLIT = "split"
    """Once for each recipient."""
    OTHER_RELEASE = "other-release"
    """Once more, in the other schema release; remembered for the link."""
    ALARM = "alarm"
    """With a slow back-off; somebody has to repair the settings."""


class Meaning(NamedTuple):
    """What a status says, in neutral words."""

    text: str
    """The StatusText for it."""
    reason: str
    """accepted, temporary-failure, authentication, barred, configuration, content, invalid-destination,
    invalid-request, rejected, unknown-message or unsupported."""
    retry: Retry = Retry.NO

    @property
    def accepted(self) -> bool:
        """Whether the peer took it (for some recipients at least)."""
        return self.reason == "accepted"


SUCCESS, PARTIAL_SUCCESS = 1000, 1100
CLIENT_ERROR, OPERATION_RESTRICTED, ADDRESS_ERROR, ADDRESS_NOT_FOUND = 2000, 2001, 2002, 2003
CONTENT_REFUSED, MESSAGE_ID_NOT_FOUND, LINKED_ID_NOT_FOUND, FORMAT_CORRUPT = 2004, 2005, 2006, 2007
SERVER_ERROR, NOT_POSSIBLE, REJECTED = 3000, 3001, 3002
GENERAL_ERROR, IMPROPER_IDENTIFICATION, UNSUPPORTED_VERSION = 4000, 4001, 4002
UNSUPPORTED_OPERATION, VALIDATION_ERROR, SERVICE_UNAVAILABLE, SERVICE_DENIED = 4003, 4004, 4006, 4007

MEANINGS = MappingProxyType(
    {
        1000: Meaning("Success", "accepted"),
        1100: Meaning("Partial success", "accepted"),
        2000: Meaning("Client error", "invalid-request"),
        2001: Meaning("Operation restricted", "barred"),
        2002: Meaning("Address error", "invalid-destination"),
        2003: Meaning("Address not found", "invalid-destination"),
        2004: Meaning("Multimedia content refused", "content", Retry.ADAPT),
        2005: Meaning("Message ID not found", "unknown-message"),
        2006: Meaning("LinkedID not found", "unknown-message", Retry.UNLINKED),
        2007: Meaning("Message format corrupt", "invalid-request"),
        2008: Meaning("Application ID not found", "invalid-request"),
        2009: Meaning("Reply Application ID not found", "invalid-request"),
        3000: Meaning("Server error", "temporary-failure", Retry.LATER),
        3001: Meaning("Not possible", "temporary-failure", Retry.FEW),
        3002: Meaning("Message rejected", "rejected"),
        3003: Meaning("Multiple addresses not supported", "invalid-request", Retry.SPLIT),
        3004: Meaning("Application addressing not supported", "unsupported"),
        3005: Meaning("Command rejected", "rejected"),
        4000: Meaning("General service error", "temporary-failure", Retry.FEW),
        4001: Meaning("Improper identification", "authentication", Retry.ALARM),
        4002: Meaning("Unsupported version", "unsupported", Retry.OTHER_RELEASE),
        4003: Meaning("Unsupported operation", "unsupported"),
        4004: Meaning("Validation error", "invalid-request", Retry.OTHER_RELEASE),
        4005: Meaning("Service error", "temporary-failure", Retry.LATER),
        4006: Meaning("Service unavailable", "temporary-failure", Retry.LATER),
        4007: Meaning("Service denied", "barred"),
        4008: Meaning("Application denied", "barred"),
    }
)
_CLASSES = MappingProxyType(
    {
        1: Meaning("Success", "accepted"),
        2: Meaning("Client error", "invalid-request"),
        3: Meaning("Server error", "temporary-failure", Retry.LATER),
        4: Meaning("Service error", "rejected"),
    }
)
_LATER = Meaning("Try later", "temporary-failure", Retry.LATER)
_CREDENTIALS = Meaning("Not authorised", "authentication", Retry.ALARM)
_WRONG_ADDRESS = Meaning("Not found", "configuration", Retry.ALARM)
_REFUSED = Meaning("Refused", "rejected")


def meaning(code: int) -> Meaning:
    """The meaning of any StatusCode: one we do not know as its class, one of no class as a server error."""
    return MEANINGS.get(code) or _CLASSES.get(code // 1000, _CLASSES[3])


def http_meaning(status: int) -> Meaning:
    """The meaning of an HTTP status that came without a SOAP body."""
    if status in (401, 403, 407):
        return _CREDENTIALS
    if status in (404, 405):
        return _WRONG_ADDRESS
    if status == 413:
        return MEANINGS[CONTENT_REFUSED]
    return _LATER if status in (408, 425, 429) or status >= 500 or status < 400 else _REFUSED
