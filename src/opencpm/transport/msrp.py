"""MSRP over TCP and TLS: one hub listens for all sessions, dials where the peer listens, and knows who owns which.

A session of `protocols.msrp` is given to the hub with the one who uses it; from then on the hub finds (or makes) its
connection and hands over what happens there. Several sessions may share a connection; a session has at most one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from opencpm.protocols.msrp.connection import Connection, Happened
from opencpm.protocols.msrp.session import Event, Session
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.transport.link import Link, address_of, dial, listen

log = logging.getLogger("opencpm.transport.msrp")

__all__ = ["MsrpHub", "MsrpUser"]


class MsrpUser(Protocol):
    """Who a session belongs to."""

    def media_happened(self, events: Sequence[Event]) -> None:
        """What the peer did, everything of one loop turn together."""

    def media_lost(self, error: Exception | None) -> None:
        """The connection has gone, or could not be made. The session may get another one."""


@dataclass(slots=True)
class _Slot:
    session: Session
    user: MsrpUser
    connection: Connection | None = None


class MsrpHub:
    """Sessions and connections of one address. `address` names it in our paths (`host` may be a wildcard).

    Bounds: `max_connections` at a time, and `patience` seconds for a connection to name a session, or to be made.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_port: int | None = None,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
        address: str = "",
        max_connections: int = 10_000,
        patience: float = 15.0,
    ) -> None:
        self._host, self._port, self._tls_port = host, port, tls_port
        self._server_tls, self._client_tls = server_tls, client_tls
        self._address = address or host
        self._max_connections, self._patience = max_connections, patience
        self._slots: dict[str, _Slot] = {}
        self._links: dict[Connection, Link[Happened]] = {}
        self._servers: list[asyncio.Server] = []
        self._dialling: set[asyncio.Task[None]] = set()
        self.endpoints: dict[str, tuple[str, int]] = {}

    async def start(self) -> None:
        """Listen. Raises OSError."""
        server = await listen(self._accepted, self._host, self._port)
        self._servers.append(server)
        self.endpoints["msrp"] = address_of(server)
        if self._server_tls is not None and self._tls_port is not None:
            secure = await listen(self._accepted, self._host, self._tls_port, tls=self._server_tls)
            self._servers.append(secure)
            self.endpoints["msrps"] = address_of(secure)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for server in self._servers:
            server.close()
        for task in self._dialling:
            task.cancel()
        for link in tuple(self._links.values()):
            link.close()
        self._slots.clear()

    def uri(self, session_id: str, *, secure: bool = False) -> MsrpUri | None:
        """Our path for a session; None where TLS is wanted and we have none."""
        endpoint = self.endpoints.get("msrps" if secure else "msrp")
        return MsrpUri(self._address, endpoint[1], session_id, secure) if endpoint else None

    @property
    def connections(self) -> int:
        return len(self._links)

    # sessions

    def expect(self, session: Session, user: MsrpUser) -> None:
        """The peer connects: bind the session to the connection whose first request names it."""
        self._slots[session.id] = _Slot(session, user)

    def connect(self, session: Session, user: MsrpUser, target: MsrpUri) -> None:
        """We connect, and open the session with an empty SEND; `media_lost` tells if that fails."""
        slot = self._slots[session.id] = _Slot(session, user)
        task = asyncio.get_running_loop().create_task(self._connect(slot, target))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    def wake(self, session: Session) -> None:
        """The session has something to send."""
        slot = self._slots.get(session.id)
        if slot is not None and slot.connection in self._links:
            self._links[slot.connection].wake()

    def forget(self, session: Session) -> None:
        """The session has ended; its connection closes with its last session."""
        slot = self._slots.pop(session.id, None)
        if slot is None or slot.connection is None:
            return
        slot.connection.release(session)
        link = self._links.get(slot.connection)
        if link is not None:
            link.wake()

    def bound(self, session: Session) -> bool:
        """Whether the session has a connection now."""
        slot = self._slots.get(session.id)
        return slot is not None and slot.connection is not None

    # connections

    def _accepted(self) -> Link[Happened]:
        machine = Connection(self._find, self._claim)
        return Link(machine, on_events=self._happened, on_lost=self._lost, on_ready=self._ready)

    def _ready(self, link: Link[Happened]) -> None:
        if len(self._links) >= self._max_connections:
            log.warning("more than %d MSRP connections; refused one", self._max_connections)
            link.abort()
            return
        if isinstance(link.machine, Connection):
            self._links[link.machine] = link
            asyncio.get_running_loop().call_later(self._patience, self._still_nobody, link)

    def _still_nobody(self, link: Link[Happened]) -> None:
        machine = link.machine
        if isinstance(machine, Connection) and not machine.sessions:
            link.close()

    def _find(self, session_id: str) -> Session | None:
        slot = self._slots.get(session_id)
        return slot.session if slot is not None else None

    def _claim(self, session: Session, connection: Connection) -> bool:
        slot = self._slots[session.id]
        if slot.connection is not None:
            return slot.connection is connection
        slot.connection = connection
        return True

    async def _connect(self, slot: _Slot, target: MsrpUri) -> None:
        machine = Connection(self._find, self._claim)
        try:
            link = await dial(
                machine,
                target.host,
                target.port,
                on_events=self._happened,
                on_lost=self._lost,
                on_ready=self._ready,
                tls=self._client_tls if target.secure else None,
                patience=self._patience,
            )
        except (OSError, TimeoutError) as error:
            slot.user.media_lost(error)
            return
        if self._slots.get(slot.session.id) is not slot:  # ended while we dialled
            link.close()
            return
        slot.connection = machine
        machine.bind(slot.session)
        slot.session.open()
        link.wake()

    def _happened(self, link: Link[Happened], events: Sequence[Happened]) -> None:
        by_session: dict[Session, list[Event]] = {}
        for session, event in events:
            by_session.setdefault(session, []).append(event)
        for session, happened in by_session.items():
            slot = self._slots.get(session.id)
            if slot is not None:
                self._hand_over(slot.user, happened)

    def _hand_over(self, user: MsrpUser, events: Sequence[Event]) -> None:
        try:
            user.media_happened(events)
        except Exception:  # a fault in one session must not take the others of the connection along
            log.exception("handling MSRP events failed")

    def _lost(self, link: Link[Happened], error: Exception | None) -> None:
        machine = link.machine
        if not isinstance(machine, Connection):
            return
        self._links.pop(machine, None)
        for session in machine.sessions:
            slot = self._slots.get(session.id)
            if slot is not None and slot.connection is machine:
                slot.connection = None
                slot.user.media_lost(error)
