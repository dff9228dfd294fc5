"""Mail in: aiosmtpd as the SMTP server, bounded in connections and octets; 250 only when the receiver says so."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple, Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger("opencpm.smtp")

# The library logs every command, and at the level DEBUG every line of a mail.
logging.getLogger("mail.log").setLevel(logging.WARNING)

Network = IPv4Network | IPv6Network

_LONG_COMMAND = 1536  # RFC 3461 §4: 500 octets of ORCPT, 100 of ENVID beside the address
_DSN = frozenset({"NOTIFY", "ORCPT", "RET", "ENVID"})
_BEYOND = 256 << 10
"""Octets over the size limit after which a peer that does not stop is cut off."""


class Mail(NamedTuple):
    """A mail with its envelope; addresses without angle brackets, the sender empty for a bounce.

    Where delivery reports are offered (RFC 3461), ``notify`` says for each recipient of what its sender wants to hear:
    "SUCCESS", "FAILURE", "DELAY" or "NEVER"; nothing where it does not say.
    """

    peer: str
    sender: str
    recipients: tuple[str, ...]
    data: bytes
    notify: tuple[frozenset[str], ...] = ()
    envid: str = ""


class Receiver(Protocol):
    """Who takes the mail. Replies are SMTP's: a code, an enhanced code and a text."""

    def welcomes(self, peer: str) -> bool:
        """Whether an IP address may talk to us at all."""

    def refuses(self, peer: str, recipient: str) -> str:
        """The reply to a recipient that is not ours; empty: it is."""

    async def take(self, mail: Mail) -> str:
        """The reply to a mail, given after the commit or the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    size: int = 1 << 20  # octets of a mail
    recipients: int = 100  # of a mail
    connections: int = 100
    connections_of_peer: int = 20
    timeout: float = 60.0  # seconds without a command


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and prefixes (``10.0.0.0/8``). Raises ValueError."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts)


def within(peer: str, among: Sequence[Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in among)


class SmtpListener:
    """Serves until closed. ``starttls`` offers TLS to those who come in clear, ``tls`` begins with it."""

    def __init__(
        self,
        receiver: Receiver,
        hostname: str,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        dsn: bool = False,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._receiver, self._hostname, self._limits = receiver, hostname, limits
        self._tls, self._starttls = tls, starttls
        self.dsn = dsn  # whether delivery reports are offered; the receiver sends them
        self._open: dict[_Connection, str] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Where it listens. :raises OSError: the address cannot be bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, host, port, ssl=self._tls, backlog=128)
        address = self._server.sockets[0].getsockname()
        log.info("SMTP on %s:%d", address[0], address[1])
        return address[0], address[1]

    async def close(self) -> None:
        """No new connections; those that are open are ended, and what they had not got a 250 for comes again."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._open):
            connection.cut()

    def _accept(self) -> _Connection:
        limits = self._limits
        return _Connection(
            _Handler(self._receiver, limits.recipients, self.counters, self.dsn),
            self,
            data_size_limit=limits.size,
            hostname=self._hostname,
            ident="OpenCPM",
            tls_context=self._starttls,
            timeout=limits.timeout,
            loop=asyncio.get_running_loop(),
        )

    def admit(self, connection: _Connection, peer: str) -> str:
        """The reply that turns a new connection away; empty: it is welcome."""
        if not self._receiver.welcomes(peer):
            self.counters["unknown peers"] += 1
            return "554 5.7.1 not known here"
        of_peer = sum(1 for other in self._open.values() if other == peer)
        if len(self._open) >= self._limits.connections or of_peer >= self._limits.connections_of_peer:
            self.counters["too many connections"] += 1
            return "421 4.3.2 too many connections"
        self._open[connection] = peer
        return ""

    def gone(self, connection: _Connection) -> None:
        self._open.pop(connection, None)


class _Connection(SMTP):
    """The library's protocol with what it leaves open: who may connect, and an end to what never ends."""

    def __init__(self, handler: _Handler, listener: SmtpListener, **more: Any) -> None:
        super().__init__(handler, **more)
        self._listener = listener
        self.parameters: list[str] = []
        self._unanswered = 0  # octets since our last reply
        self._most = int(more["data_size_limit"]) + _BEYOND
        if listener.dsn:
            self.command_size_limits.update({"MAIL": _LONG_COMMAND, "RCPT": _LONG_COMMAND})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        peer = wire.get_extra_info("peername")
        again = self.session is not None  # after STARTTLS
        refusal = "" if again else self._listener.admit(self, peer[0] if peer else "")
        if refusal:
            wire.write(f"{refusal}\r\n".encode())
            wire.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._reader is None or self.session is None:
            return  # turned away, or gone
        self._unanswered += len(data)
        if self._unanswered > self._most:
            self._listener.counters["endless"] += 1
            log.warning("a peer that does not stop is cut off: %s", self.session.peer)
            self.cut()
            return
        super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self.session is not None else None

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.gone(self)
        if self.session is not None:
            super().connection_lost(error)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The parameters behind an address as they came: the library hands them on in upper case."""
        address, rest = super()._getaddr(arg)
        self.parameters = (rest or "").split()
        return address, rest

    def _getparams(self, params: Sequence[str]) -> dict[str, Any] | None:
        """The library refuses every parameter that it does not know."""
        found: dict[str, Any] | None = super()._getparams(params)
        if found is not None and self._listener.dsn:
            found = {name: value for name, value in found.items() if name not in _DSN}
        return found

    async def push(self, status: Any) -> None:
        self._unanswered = 0
        await super().push(status)

    def cut(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()


class _Handler:
    """The library's hooks; their names and arguments are its own."""

    def __init__(self, receiver: Receiver, recipients: int, counters: Counter[str], dsn: bool) -> None:
        self._receiver, self._recipients, self._counters, self._dsn = receiver, recipients, counters, dsn
        self._notify: list[frozenset[str]] = []
        self._envid = ""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]] if self._dsn else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, mail_options: Sequence[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        self._notify = []
        self._envid = _option(server, "ENVID")[:100]
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: Sequence[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self._recipients:
            return "452 4.5.3 too many recipients"
        refusal = self._receiver.refuses(_peer(session), address)
        if refusal:
            self._counters["recipients refused"] += 1
            return refusal
        envelope.rcpt_tos.append(address)
        self._notify.append(frozenset(word for word in _option(server, "NOTIFY").upper().split(",") if word))
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        data = bytes(envelope.original_content or b"")
        self._counters["mails"] += 1
        return await self._receiver.take(
            Mail(
                _peer(session),
                (envelope.mail_from or "").strip("<>"),
                tuple(envelope.rcpt_tos),
                data,
                tuple(self._notify),
                self._envid,
            )
        )

    async def handle_exception(self, error: Exception) -> str:
        log.error("a mail could not be taken", exc_info=error)
        return "451 4.3.0 trouble here; try again"


def _option(server: SMTP, name: str) -> str:
    """The value of a parameter of the MAIL or RCPT just read."""
    options = server.parameters if isinstance(server, _Connection) else []
    return next((one.partition("=")[2] for one in options if one.upper().startswith(f"{name}=")), "")


def _peer(session: Session) -> str:
    return str(session.peer[0]) if session.peer else ""
