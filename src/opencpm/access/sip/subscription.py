"""A device that follows something (RFC 6665): one dialog, told now and whenever it changes, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.access.sip.endpoint import Endpoint, Request
from opencpm.protocols.sip.dialog import Dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_number
from opencpm.protocols.sip.message import Message as SipMessage
from opencpm.protocols.sip.response import Refusal
from opencpm.transport.flow import Flow

LONGEST = 3600
SHORTEST = 60
"""Bounds of a subscription's life, seconds."""

Content = Callable[[], tuple[str, bytes]]
"""Content type and body of the next NOTIFY; both empty where there is nothing to say."""


class Subscription:
    """A `DialogUser`. One NOTIFY is under way at a time; the next has what is then.

    `contact` gives our Contact on a flow, `over` is called once when nothing comes any more."""

    def __init__(
        self,
        endpoint: Endpoint,
        dialog: Dialog,
        event: str,
        contact: Callable[[Flow], tuple[str, str]],
        over: Callable[[Subscription], None],
    ) -> None:
        self._endpoint, self._dialog, self._event, self._contact = endpoint, dialog, event, contact
        self._loop = asyncio.get_running_loop()
        self._over = over
        self._content: Content = lambda: ("", b"")
        self._stop: Callable[[], None] = lambda: None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._under_way = self._again = self._ended = False

    def begin(self, request: Request, expires: int, content: Content, stop: Callable[[], None]) -> None:
        """Answer the SUBSCRIBE and notify at once. `stop` ends the following of whatever is followed."""
        self._content, self._stop = content, stop
        self._endpoint.adopt(self._dialog, self, request.flow)
        self._take(request, expires)

    def changed(self) -> None:
        """There is something new to tell."""
        if self._ended:
            return
        if self._under_way:
            self._again = True
            return
        left = max(1, round(self._until - self._loop.time()))
        self._under_way = True
        self._send(f"active;expires={left}")

    def end(self, reason: str) -> None:
        """The last NOTIFY; nothing comes after it."""
        if not self._ended:
            self._close()
            self._send(f"terminated;reason={reason}")

    # DialogUser

    def requested(self, request: Request) -> None:
        if request.method != "SUBSCRIBE":
            self._endpoint.answer(request, 405, fields=[("Allow", "SUBSCRIBE")])
            return
        try:
            self._take(request, life(request.message))
        except Refusal as refusal:
            self._endpoint.refuse(request, refusal)
        except SipError as error:
            self._endpoint.refuse(request, Refusal(error.status, str(error)))

    def acknowledged(self, ack: Request) -> None: ...

    def ack_missing(self) -> None: ...

    def _take(self, request: Request, expires: int) -> None:
        """Answer a SUBSCRIBE and notify at once (RFC 6665 §4.2.1.2)."""
        self._endpoint.answer(request, 200, fields=[self._contact(request.flow), ("Expires", str(expires))])
        if self._timer is not None:
            self._timer.cancel()
        if expires == 0:
            self.end("timeout")
            return
        self._until = self._loop.time() + expires
        self._timer = self._loop.call_later(expires, self.end, "timeout")
        self.changed()

    # out

    def _close(self) -> None:
        self._ended = True
        self._stop()
        if self._timer is not None:
            self._timer.cancel()
        self._over(self)

    def _send(self, state: str) -> None:
        flow = self._endpoint.flow_in(self._dialog)
        if flow is None:
            return
        content_type, body = self._content()
        fields = [
            self._contact(flow),
            ("Event", self._event),
            ("Subscription-State", state),
            *([("Content-Type", content_type)] if body else []),
        ]
        self._endpoint.send_in(self._dialog, "NOTIFY", fields, body, self._answered)

    def _answered(self, response: SipMessage | None, failed: bool) -> None:
        if response is not None and response.status < 200:
            return
        if self._ended:
            self._endpoint.release(self._dialog)
            return
        self._under_way = False
        if response is None or response.status >= 300:  # the device does not know of it any more (RFC 6665 §4.2.2)
            self._close()
            self._endpoint.release(self._dialog)
        elif self._again:
            self._again = False
            self.changed()


class Events:
    """The event packages of the access: which handler serves a SUBSCRIBE outside dialogs."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._packages: dict[str, Callable[[Request], None]] = {}

    def serve(self, package: str, handler: Callable[[Request], None]) -> None:
        self._packages[package] = handler

    def subscribed(self, requests: Sequence[Request]) -> None:
        """Handler of SUBSCRIBE."""
        for request in requests:
            handler = self._packages.get(package_of(request.message))
            if handler is None:
                self._endpoint.refuse(request, Refusal(489, "", ("Allow-Events", ", ".join(sorted(self._packages)))))
            else:
                handler(request)


def package_of(message: SipMessage) -> str:
    return message.get("event").partition(";")[0].strip().lower()


def life(message: SipMessage) -> int:
    """How long a subscription or publication shall live; 0 ends it. Raises Refusal 423."""
    asked = message.get("expires")
    if not asked:
        return LONGEST
    seconds = parse_number(asked, "Expires")
    if 0 < seconds < SHORTEST:
        raise Refusal(423, "", ("Min-Expires", str(SHORTEST)))
    return min(seconds, LONGEST)
