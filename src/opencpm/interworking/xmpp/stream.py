"""One stream to the XMPP server: slixmpp connects and shakes hands, stanzas come up in batches (decision 0015)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree.ElementTree import Element

from slixmpp import ComponentXMPP

from opencpm.protocols.xmpp import names
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.stream import Closed, Opened, StreamReader

if TYPE_CHECKING:
    from asyncio import BaseTransport

# It logs whole stanzas, and with them what people write; what an operator needs to know is said by us.
logging.getLogger("slixmpp").setLevel(logging.CRITICAL)

_HANDSHAKE = f"{{{names.COMPONENT}}}handshake"
_ERROR = f"{{{names.STREAM}}}error"
_STANZAS = frozenset(f"{{{names.COMPONENT}}}{kind}" for kind in ("message", "presence", "iq"))


class StreamEvents(Protocol):
    """Whoever holds the stream."""

    def ready(self) -> None:
        """The handshake was accepted."""

    def heard(self, stanzas: Sequence[Element]) -> None:
        """All stanzas that were complete in what was read at once, in order."""

    def said_error(self, condition: str, text: str) -> None:
        """The server ends the stream, and why (RFC 6120 §4.9)."""

    def lost(self, why: str) -> None:
        """The connection is gone, or never came to be."""

    def writable(self, yes: bool) -> None:
        """The server takes what is written, or is behind with it."""


class ComponentStream(ComponentXMPP):
    """A stream that says what happens and decides nothing; a new one is made for each connection."""

    def __init__(self, domain: str, secret: str, where: tuple[str, int], max_stanza: int, events: StreamEvents) -> None:
        super().__init__(domain, secret, *where)  # type: ignore[no-untyped-call]
        self._events = events
        self._max_stanza = max_stanza
        self._reader: StreamReader | None = None
        self._why = ""
        self._over = False
        self.add_event_handler("connection_failed", self._not_connected)

    # -- what we call

    def close(self) -> None:
        """End the stream in good order; the connection closes once what was written is out."""
        if self.transport is not None:
            self.send_raw("</stream:stream>")
            self.transport.close()
        else:
            self.drop("")

    def drop(self, why: str) -> None:
        """End the connection at once."""
        self._why = self._why or why
        self.cancel_connection_attempt()
        if self.transport is not None:
            self.transport.abort()
        else:
            self._end(why)

    def pause(self, yes: bool) -> None:
        """Read nothing more for a while."""
        if self.transport is None or self.transport.is_closing():
            return
        if yes:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # -- what slixmpp and the loop call

    def connection_made(self, transport: BaseTransport, send_event: bool = True) -> None:
        self._reader = StreamReader(self._max_stanza)
        super().connection_made(transport, send_event)

    def data_received(self, data: bytes | str) -> None:
        """In slixmpp's place: bounded, nothing logged, and no object made of a stanza but the one that is ours."""
        if self._reader is None or self._over:
            return
        try:
            found = self._reader.feed(data if isinstance(data, bytes) else data.encode())
        except XmppError as error:
            self._refuse(error)
            return
        stanzas: list[Element] = []
        for one in found:
            if isinstance(one, Element) and one.tag in _STANZAS:
                stanzas.append(one)
            else:
                self._of_the_stream(one)
        if stanzas:
            self._events.heard(stanzas)

    def connection_lost(self, exception: BaseException | None) -> None:
        super().connection_lost(exception)
        self._end(self._why or (str(exception) if exception else "the server closed the connection"))

    def pause_writing(self) -> None:
        self._events.writable(False)

    def resume_writing(self) -> None:
        self._events.writable(True)

    # -- inside

    def _of_the_stream(self, one: Opened | Closed | Element) -> None:
        if isinstance(one, Opened):
            header = Element(one.tag, one.attributes)
            self.start_stream_handler(header)  # type: ignore[no-untyped-call]  # it answers with the handshake
        elif isinstance(one, Closed):
            self._why = self._why or "the server ended the stream"
            self.close()
        elif one.tag == _HANDSHAKE:
            self._events.ready()
        elif one.tag == _ERROR:
            self._said(one)

    def _said(self, error: Element) -> None:
        condition, text = "undefined-condition", ""
        for part in error:
            space, _, local = part.tag[1:].rpartition("}")
            if space == names.STREAM_ERRORS and local == "text":
                text = (part.text or "")[:200]
            elif space == names.STREAM_ERRORS:
                condition = local[:60]
        self._why = condition + (f" ({text})" if text else "")
        self._events.said_error(condition, text)

    def _refuse(self, error: XmppError) -> None:
        """RFC 6120 §4.9.1: say why, and end."""
        self._why = f"the server sent what cannot be read: {error}"
        if self.transport is not None:
            told = f"<{error.condition} xmlns='{names.STREAM_ERRORS}'/>"
            self.send_raw(f"<stream:error>{told}</stream:error></stream:stream>")
            self.transport.close()

    def _not_connected(self, error: Any) -> None:
        self.drop(str(error) or "no answer")

    def _end(self, why: str) -> None:
        if self._over:
            return
        self._over = True
        if self._run_out_filters is not None:  # its task for sending lives as long as the object, else for ever
            self._run_out_filters.cancel()
        self._events.lost(why)
