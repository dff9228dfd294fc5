"""The session timer (RFC 4028): who refreshes, and when a session counts as dead. Pure."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_number
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.text import parse_parameters

__all__ = ["OFF", "Refresh", "from_request", "from_response"]


class Refresh(NamedTuple):
    """What was agreed. `expires` in seconds, 0 for no timer; `ours`: we send the refreshes."""

    expires: int
    ours: bool

    @property
    def due(self) -> float:
        """Seconds until our refresh, or until a session that was not refreshed by the peer is over (§10)."""
        return self.expires / 2 if self.ours else self.expires - min(32.0, self.expires / 3)


OFF = Refresh(0, False)


def from_request(request: Message, least: int) -> tuple[Refresh, list[tuple[str, str]]]:
    """Our side of an INVITE or UPDATE that came in, and the headers of its 2xx (§9).

    The peer refreshes unless it asks us to. Raises Refusal: 422 with Min-SE, 400.
    """
    expires, refresher = _session_expires(request)
    if not expires:
        return OFF, []
    peer_supports = "timer" in request.tokens("supported") or "timer" in request.tokens("require")
    if expires < least:
        if peer_supports:
            raise Refusal(422, "", ("Min-SE", str(least)))
        expires = least
    ours = refresher == "uas" or not peer_supports
    fields = [("Session-Expires", f"{expires};refresher={'uas' if ours else 'uac'}")]
    if not ours:
        fields.insert(0, ("Require", "timer"))
    return Refresh(expires, ours), fields


def from_response(response: Message) -> Refresh:
    """What the 2xx to our INVITE or UPDATE says; without Session-Expires there is no timer (§7.2)."""
    try:
        expires, refresher = _session_expires(response)
    except Refusal:
        return OFF
    return Refresh(expires, refresher != "uas") if expires else OFF


def _session_expires(message: Message) -> tuple[int, str]:
    value = message.get("session-expires")
    if not value:
        return 0, ""
    seconds, semicolon, tail = value.partition(";")
    try:
        return parse_number(seconds.strip(), "Session-Expires"), parse_parameters(semicolon + tail).get(
            "refresher", ""
        ).lower()
    except SipError:
        raise Refusal(400, "Bad Session-Expires") from None
