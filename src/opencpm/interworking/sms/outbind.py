"""A link that the SMSC opens: it connects to us, says who it is, and we bind on that connection (SMPP 3.4 §2.2.1)."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Sequence
from typing import cast

from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Event, Told
from opencpm.protocols.smpp.pdu import Pdu
from opencpm.protocols.smpp.session import Session
from opencpm.transport.link import Link, address_of, listen

from .lane import Lane

log = logging.getLogger("opencpm.sms")

_MOST_STRANGERS = 16
"""Connections that have not said yet who they are."""


class AwaitedLane(Lane):
    """Listens instead of connecting; in all else like the others. The newest outbind wins: an SMSC that comes back
    knows better than we that its old connection is gone.
    """

    endpoint: tuple[str, int] = ("", 0)
    _strangers: set[Link[Event]]

    async def run(self) -> None:
        """Listen until cancelled; then unbind and close."""
        self._strangers = set()
        try:
            while True:
                await self._listen()
                self._on_change(self)
                await asyncio.sleep(self._common.reconnect_max)
        finally:
            for stranger in tuple(self._strangers):
                stranger.abort()
            await self._leave()

    async def _listen(self) -> None:
        where = f"{self.settings.host}:{self.settings.port}"
        try:
            server = await listen(self._accept, self.settings.host, self.settings.port, tls=self._tls)
        except OSError as error:
            self._say(f"cannot listen on {where}: {error.strerror or error}")
            return
        self.endpoint = address_of(server)
        self.detail = f"waiting for an outbind on {self.endpoint[0]}:{self.endpoint[1]}"
        self._on_change(self)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    # -- connections

    def _accept(self) -> asyncio.Protocol:
        session = self._new_session(asyncio.get_running_loop().time())
        link: Link[Event] = Link(
            session,
            on_events=self._any_heard,
            on_lost=self._any_lost,
            on_writable=lambda one: self._on_events(self, ()) if one is self._link else None,
        )
        if len(self._strangers) >= _MOST_STRANGERS:
            self._strangers.pop().abort()
        self._strangers.add(link)
        return link

    def _any_heard(self, link: Link[Event], events: Sequence[Event]) -> None:
        if link is self._link:
            self._heard(link, events)
            return
        for at, event in enumerate(events):
            if isinstance(event, Told) and event.pdu.command == Command.OUTBIND:
                self._outbind(link, event.pdu)
                if link is self._link:
                    self._heard(link, events[at + 1 :])
                return

    def _outbind(self, link: Link[Event], asked: Pdu) -> None:
        host, port = link.peer
        if not self._believes(asked):
            log.warning("an outbind from %s:%d is refused: wrong system_id or password", host, port)
            link.close()
            return
        if self._link is not None:
            self._replace(self._link)
        self._strangers.discard(link)
        self._gone.clear()
        self._link, self._session = link, cast(Session, link.machine)
        self._session.answer_outbind()

    def _believes(self, asked: Pdu) -> bool:
        """Compared in constant time: who connects may be anybody."""
        wanted = self.settings
        named = not wanted.outbind_system_id or asked.body["system_id"] == wanted.outbind_system_id
        given = str(asked.body["password"]).encode("latin-1", "replace")
        return hmac.compare_digest(given, wanted.outbind_password.encode("latin-1", "replace")) and named

    def _replace(self, old: Link[Event]) -> None:
        self._lost(old, None)
        old.abort()

    def _any_lost(self, link: Link[Event], error: Exception | None) -> None:
        self._strangers.discard(link)
        if link is self._link:
            self._lost(link, error)
