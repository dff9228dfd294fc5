"""The link to the XMPP server, kept up; and how we know that the server has what was written.

XEP-0114 has no acknowledgement. A server takes the stanzas of a stream in order, so a stanza to ourselves that comes
back (a *mark*) proves that everything before it has arrived, been routed, and refused where it had to be.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.protocols.xmpp import iq, names

from .settings import XmppSettings
from .stream import ComponentStream

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

log = logging.getLogger("opencpm.xmpp")

_LONGEST_REFUSED_PAUSE = 900.0
_GOOD_ORDER = 2.0
# RFC 6120 §4.9.3: not a moment that is bad, but something that a person has to mend
_OUR_FAULT = frozenset({"not-authorized", "host-unknown", "host-gone", "invalid-namespace", "improper-addressing"})
_MARK = "mark-"


class Link:
    """One stream at a time (:class:`StreamEvents`). ``on_change``: it came up or went, or is behind."""

    def __init__(
        self,
        settings: XmppSettings,
        on_heard: Callable[[Sequence[Element]], None],
        on_marked: Callable[[int], None],
        on_change: Callable[[], None],
    ) -> None:
        self.detail = "not connected yet"
        self.up = False
        self.behind = False
        self._settings = settings
        self._where = f"{settings.host}:{settings.port}"
        self._on_heard, self._on_marked, self._on_change = on_heard, on_marked, on_change
        self._stream: ComponentStream | None = None
        self._gone = asyncio.Event()
        self._said = ""
        self._refused = False
        self._leaving = False
        self._pause = settings.reconnect_min
        self._up_at = 0.0
        self._buffer: list[str] = []
        self._flushing = False
        self._marks = 0  # sent on this stream
        self._marked = 0  # come back
        self._mark_sent_at = 0.0
        self._heard_at = 0.0

    # -- writing

    def write(self, text: str) -> None:
        """Send at the end of this loop turn, joined with what else is written in it. Nothing while the link is down."""
        if not self.up:
            return
        self._buffer.append(text)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def mark(self) -> int:
        """Have the server confirm what was written so far; its number comes back through ``on_marked``."""
        self._marks += 1
        ours = self._settings.component
        self.write(iq.write("get", f"{_MARK}{self._marks}", ours, ours, f"<ping xmlns='{names.PING}'/>"))
        self._mark_sent_at = asyncio.get_running_loop().time()
        return self._marks

    def pause(self, yes: bool) -> None:
        """Read nothing more for a while."""
        if self._stream is not None:
            self._stream.pause(yes)

    def _flush(self) -> None:
        self._flushing = False
        buffer, self._buffer = self._buffer, []
        if buffer and self.up and self._stream is not None:
            self._stream.send_raw("".join(buffer))

    # -- keeping it up

    async def run(self) -> None:
        """Stay connected until cancelled; then end the stream in good order."""
        try:
            while True:
                await self._once()
                pause = self._next_pause()
                self.detail += f"; next try in {pause:.0f} s" if pause >= 1 else "; trying again"
                self._on_change()
                await asyncio.sleep(pause)
        finally:
            await self._leave()

    async def _once(self) -> None:
        settings = self._settings
        self._gone.clear()
        self._refused = False
        where = settings.host, settings.port
        self._stream = stream = ComponentStream(
            settings.component, settings.secret, where, settings.max_stanza_bytes, self
        )
        patience = asyncio.get_running_loop().call_later(settings.connect_timeout, self._too_slow)
        try:
            stream.connect(*where)
            await self._gone.wait()
        finally:
            patience.cancel()

    def _too_slow(self) -> None:
        if not self.up and self._stream is not None:
            self._stream.drop("it does not answer")

    def tick(self) -> None:
        """Ask a quiet server whether it is there; leave one that does not confirm what was sent."""
        if not self.up or self._stream is None:
            return
        now = asyncio.get_running_loop().time()
        if self._marks > self._marked:
            if now - self._mark_sent_at > self._settings.answer_timeout:
                self._stream.drop(f"it has confirmed nothing for {self._settings.answer_timeout:.0f} s")
        elif now - max(self._heard_at, self._up_at) > self._settings.keep_alive:
            self.mark()

    async def _leave(self) -> None:
        self._leaving = True
        stream = self._stream
        if stream is None or self._gone.is_set():
            return
        self._flush()
        stream.close()
        try:
            async with asyncio.timeout(_GOOD_ORDER):
                await self._gone.wait()
        except TimeoutError:
            stream.drop("stopping")

    def _next_pause(self) -> float:
        """1, 2, 4 ... seconds with jitter; after a refusal 60 s up to 15 minutes. Only a link that lasted resets it."""
        settings = self._settings
        longest = settings.reconnect_max
        lasted = asyncio.get_running_loop().time() - self._up_at if self._up_at else 0.0
        if lasted >= settings.stable_after:
            self._pause = settings.reconnect_min
        if self._refused:
            self._pause = max(self._pause, settings.refused_retry)
            longest = max(_LONGEST_REFUSED_PAUSE, settings.refused_retry)
        self._up_at = 0.0
        pause = self._pause
        self._pause = min(2 * pause, longest)
        return pause * random.uniform(0.8, 1.2)

    # -- what the stream says

    def ready(self) -> None:
        loop = asyncio.get_running_loop()
        self.up, self.behind = True, False
        self._marks = self._marked = 0
        self._up_at = self._heard_at = loop.time()
        self.detail = self._said = f"{self._settings.component} at {self._where}"
        log.info("connected: %s", self.detail)
        self._on_change()

    def heard(self, stanzas: Sequence[Element]) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        rest = [one for one in stanzas if not self._is_mark(one)]
        # Errors stand before the mark that follows them, so nothing is confirmed that was refused in the same breath.
        if rest:
            self._on_heard(rest)
        if len(rest) != len(stanzas):
            self._on_marked(self._marked)

    def _is_mark(self, stanza: Element) -> bool:
        ours = self._settings.component
        ident = stanza.get("id", "")
        if not ident.startswith(_MARK) or stanza.get("from") != ours or stanza.get("to") != ours:
            return False
        number = ident[len(_MARK) :]
        if number.isdecimal() and len(number) < 20:
            self._marked = max(self._marked, min(int(number), self._marks))
        return True

    def said_error(self, condition: str, text: str) -> None:
        self._refused = condition in _OUR_FAULT and not self.up

    def lost(self, why: str) -> None:
        was_up, self.up = self.up, False
        self._stream = None
        self._buffer.clear()
        self._say(f"connection to {self._where} lost: {why}" if was_up else f"no link to {self._where}: {why}")
        self._gone.set()
        self._on_change()

    def writable(self, yes: bool) -> None:
        self.behind = not yes
        self._on_change()

    def _say(self, detail: str) -> None:
        if detail != self._said and not self._leaving:
            log.warning("%s", detail)
        self._said = self.detail = detail
