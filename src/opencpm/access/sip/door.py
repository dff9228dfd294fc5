"""What is refused before a message comes of it: told to messaging, so that the sender's trail has a line."""

from __future__ import annotations

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.endpoint import Request
from opencpm.access.sip.reasons import reason_of
from opencpm.domain.errors import Reason
from opencpm.interfaces import Inbox
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import addr_uri
from opencpm.protocols.sip.response import Refusal

_TOLD = frozenset({"REGISTER", "MESSAGE", "INVITE"})
"""What people do. Refused SUBSCRIBEs and the like are counted, not told."""


class Door:
    """Hooks of the endpoint and of the authenticator."""

    def __init__(self, inbox: Inbox, home: Home) -> None:
        self._inbox, self._home = inbox, home

    def refused(self, request: Request, refusal: Refusal) -> None:
        if request.method in _TOLD:
            text = str(refusal)
            what = f"SIP {refusal.status}" + (f" {text}" if text else "")
            self._tell(request, reason_of(refusal.status), what)

    def wrong(self, request: Request, username: str) -> None:
        """The sheet's rule: user unknown and password wrong look the same from outside, and here too."""
        self._tell(request, Reason.AUTHENTICATION, f"SIP 401, wrong password or unknown user {username[:64]!r}")

    def _tell(self, request: Request, reason: Reason, what: str) -> None:
        peer = request.flow.peer
        where = f"{request.method} over {request.flow.kind} from {peer[0]}"
        self._inbox.turned_away(self._who(request), reason.value, f"{what}, to {where}")

    def _who(self, request: Request) -> str:
        """Who they claim to be."""
        try:
            return str(self._home.address(addr_uri(request.message.get("from"))))
        except (SipError, Refusal):
            return f"sip:unknown@{request.flow.peer[0]}"
