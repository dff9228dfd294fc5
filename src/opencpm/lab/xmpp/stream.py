"""The server's side of one component stream (XEP-0114), sans-IO."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import names
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.stream import Closed, Opened, StreamReader

if TYPE_CHECKING:
    from opencpm.lab.xmpp.faults import Faults


class ComponentSide:
    """Events are the component's stanzas. ``admits(domain)`` gives a component's secret, None: there is no such one."""

    def __init__(
        self, stream_id: str, admits: Callable[[str], str | None], joined: Callable[[], None], faults: Faults
    ) -> None:
        self.domain = ""
        self.open = False
        self._id, self._admits, self._joined, self._faults = stream_id, admits, joined, faults
        self._reader = StreamReader()
        self._out: list[str] = []
        self._over = False

    # -- what the service sends

    def send(self, text: str) -> None:
        if not self._over:
            self._out.append(text)

    def error(self, condition: str) -> None:
        """End the stream and say why (RFC 6120 §4.9)."""
        self.send(f"<stream:error><{condition} xmlns='{names.STREAM_ERRORS}'/></stream:error></stream:stream>")
        self._over, self.open = True, False

    # -- the machine

    def receive(self, data: bytes, now: float) -> Sequence[Element]:
        try:
            found = self._reader.feed(data)
        except XmppError as error:
            self.error(error.condition)
            return ()
        return [one for one in found if isinstance(one, Element) and self._is_stanza(one)] if self._begin(found) else ()

    def _begin(self, found: Sequence[Opened | Closed | Element]) -> bool:
        for one in found:
            if isinstance(one, Opened):
                self._greet(one)
            elif isinstance(one, Closed) and not self._over:
                self.send("</stream:stream>")
                self._over, self.open = True, False
        return bool(found)

    def _greet(self, header: Opened) -> None:
        self.domain = header.attributes.get("to", "")
        self.send(
            f"<?xml version='1.0'?><stream:stream xmlns='{names.COMPONENT}' xmlns:stream='{names.STREAM}'"
            f" id='{self._id}' from='{escape(self.domain)}'>"
        )
        if self._admits(self.domain) is None:
            self.error("host-unknown")

    def _is_stanza(self, one: Element) -> bool:
        if one.tag == f"{{{names.COMPONENT}}}handshake":
            self._shake(one.text or "")
            return False
        if not self.open and not self._over:
            self.error("not-authorized")
        return self.open

    def _shake(self, said: str) -> None:
        secret = self._admits(self.domain) or ""
        right = hashlib.sha1((self._id + secret).encode(), usedforsecurity=False).hexdigest()
        if self._faults.slow_handshake:
            return
        if self._faults.stream_error:
            self.error(self._faults.stream_error)
        elif said != right:
            self.error("not-authorized")
        else:
            self.open = True
            self.send("<handshake/>")
            self._joined()

    def poll(self, now: float) -> Sequence[Element]:
        return ()

    def next_timeout(self) -> float | None:
        return None

    def take(self) -> bytes:
        out, self._out = self._out, []
        return "".join(out).encode()

    def closing(self) -> bool:
        return self._over
