"""One MSRP connection: frames to the sessions they name (RFC 4975 §5.4), refusals for those that name none.

It is a machine for a link driver: `receive`, `poll`, `next_timeout`, `take`, `closing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .message import Frame, Parser, response
from .session import Event, Session
from .uri import session_of

__all__ = ["Connection", "Happened"]

_STRANGERS = 32
"""Requests for unknown sessions answered before the connection is closed as a prober's."""


class Happened(NamedTuple):
    """An event of a session on this connection."""

    session: Session
    event: Event


class Connection:
    """`find` gives the session that awaits or has a connection, by its id; `claim(session)` says whether this
    connection may have it (False: it is bound elsewhere, 506). Several sessions may share one connection."""

    def __init__(self, find: Callable[[str], Session | None], claim: Callable[[Session, Connection], bool]) -> None:
        self._find, self._claim = find, claim
        self._parser = Parser()
        self._sessions: dict[str, Session] = {}
        self._out: list[bytes] = []
        self._strangers = 0
        self._closing = False

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions bound to this connection."""
        return tuple(self._sessions.values())

    def bind(self, session: Session) -> None:
        """The session runs over this connection (the active side binds it itself)."""
        self._sessions[session.id] = session

    def release(self, session: Session) -> None:
        """The session has ended; with its last one the connection closes."""
        last_words = session.take()
        if last_words:
            self._out.append(last_words)
        self._sessions.pop(session.id, None)
        self._closing = not self._sessions

    def receive(self, data: bytes, now: float) -> list[Happened]:
        """Bytes from the peer. Raises MsrpError when they are beyond repair."""
        happened: list[Happened] = []
        for frame in self._parser.feed(data):
            session = self._session_of(frame)
            if session is not None:
                happened += [Happened(session, event) for event in session.receive(frame, now)]
        return happened

    def _session_of(self, frame: Frame) -> Session | None:
        session_id = session_of(frame.headers.get("to-path", ""))
        session = self._sessions.get(session_id)
        if not frame.method:
            return session
        if frame.flaw or not session_id or not frame.headers.get("from-path"):
            self._refuse(frame, 400)
            return None
        if session is not None:
            return session
        session = self._find(session_id)
        if session is None or session.wrong_peer(frame):
            self._strangers += 1
            self._refuse(frame, 481)
            return None
        if not self._claim(session, self):
            self._refuse(frame, 506)
            return None
        self.bind(session)
        return session

    def _refuse(self, frame: Frame, status: int) -> None:
        headers = frame.headers
        if self._strangers > _STRANGERS:
            self._closing = True
        if frame.flag and frame.method != "REPORT" and headers.get("from-path") and headers.get("to-path"):
            back = headers["from-path"].partition(" ")[0]
            self._out.append(response(frame.tid, status, back, headers["to-path"].partition(" ")[0]))

    def poll(self, now: float) -> list[Happened]:
        """Time-outs of all sessions."""
        return [Happened(s, event) for s in self._sessions.values() for event in s.poll(now)]

    def next_timeout(self) -> float | None:
        """The earliest of all sessions."""
        times = [t for s in self._sessions.values() if (t := s.next_timeout()) is not None]
        return min(times, default=None)

    def take(self) -> bytes:
        """The bytes to send now."""
        for session in self._sessions.values():
            data = session.take()
            if data:
                self._out.append(data)
        data = b"".join(self._out)
        self._out.clear()
        return data

    def closing(self) -> bool:
        """Its sessions have ended, or it never had one and only asks for unknown ones."""
        return self._closing
