"""Status codes, their reason phrases, and what a final failure says about trying again (RFC 3261 §21, §16.7)."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    439: "First Hop Lacks Outbound Support",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}

PASSING: Final = frozenset({408, 430, 480, 500, 502, 503, 504})
"""Failures of the moment: the device or the way to it was not there. Everything else is the device's answer."""


def is_passing(status: int) -> bool:
    """True when the same request may succeed later (a device without power, a lost flow, an overload)."""
    return status in PASSING


def preferred(failures: list[int]) -> int:
    """The one answer for a fork that failed on every branch (RFC 3261 §16.7 step 6).

    6xx wins; then the codes that tell the sender how to do better; a code of the moment only if every branch
    gave one, since deferral would otherwise repeat a refusal.
    """
    if not failures:
        return 480
    for status in failures:
        if status >= 600:
            return status
    final = [status for status in failures if not is_passing(status)]
    for best in (401, 407, 415, 420, 484):
        if best in final:
            return best
    return min(final) if final else 480
