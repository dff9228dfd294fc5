"""X-Mms-Request-Status-Code: the words of 3GPP TS 23.140 §8.4.1.4, and the numbers that some peers send."""

from __future__ import annotations

from types import MappingProxyType

from opencpm.protocols.mm1.status import RESPONSE, Meaning, response_meaning

OK = "Ok"
UNSPECIFIED = "Error-unspecified"
SERVICE_DENIED = "Error-service-denied"
FORMAT_CORRUPT = "Error-message-format-corrupt"
ADDRESS_UNRESOLVED = "Error-sending-address-unresolved"
NETWORK_PROBLEM = "Error-network-problem"
CONTENT_NOT_ACCEPTED = "Error-content-not-accepted"
UNSUPPORTED_MESSAGE = "Error-unsupported-message"

# The words are those of MM1 with "Error-" in front.
_MEANINGS = MappingProxyType({meaning.name: meaning for meaning in RESPONSE.values()})


def meaning(code: str) -> Meaning:
    """The meaning of a code in any case, with or without "Error-", or as a number (0 and 128 are Ok).

    An unknown one is temporary if it says "transient", final if it says "permanent", else unspecified.
    """
    word = code.strip().strip('"').lower().replace("_", "-").removeprefix("error-")
    if word.isascii() and word.isdigit() and len(word) < 4:
        return RESPONSE[0x80] if int(word) == 0 else response_meaning(int(word))
    known = _MEANINGS.get(word)
    if known is not None:
        return known
    if word.startswith("permanent"):
        return RESPONSE[0xE0]
    return RESPONSE[0xC0] if word.startswith("transient") else RESPONSE[0x81]
