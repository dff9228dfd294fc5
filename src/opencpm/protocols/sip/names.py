"""Header names: compact forms (RFC 3261 §7.3.3 and later registrations) and the spellings seen most."""

from __future__ import annotations

from typing import Final

COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

_SPELLINGS = (
    "Via Max-Forwards Route Record-Route From To Call-ID CSeq Contact Expires Min-Expires Content-Type "
    "Content-Length Content-Encoding Content-Disposition Accept Accept-Contact Accept-Encoding Allow Supported "
    "Require Unsupported User-Agent Server Date Authorization Proxy-Authorization WWW-Authenticate Path "
    "Proxy-Authenticate P-Preferred-Identity P-Preferred-Service P-Asserted-Identity P-Asserted-Service "
    "P-Associated-URI P-Called-Party-ID P-Access-Network-Info Service-Route Privacy Reason Warning Subject "
    "Conversation-ID Contribution-ID InReplyTo-Contribution-ID Session-Replaces Session-Expires Min-SE "
    "Referred-By Retry-After Priority Event Subscription-State Timestamp Proxy-Require MIME-Version"
)
KEYS: Final = {
    **{name: name.lower() for name in _SPELLINGS.split()},
    **{name: key for short, key in COMPACT.items() for name in (short, short.upper())},
}
"""Every usual spelling of a header name to its key: the long name in lower case."""


def header_key(name: str) -> str:
    """The key of any spelling of a header name."""
    name = name.strip()
    key = KEYS.get(name)
    if key is None:
        lower = name.lower()
        key = COMPACT.get(lower, lower)
    return key
