"""The transaction layer (RFC 3261 §17 with the corrections of RFC 6026), all transactions in one object.

    INVITE server  PROCEEDING -2xx-> ACCEPTED -ACK, timer L-> gone
                   PROCEEDING -3..6xx-> COMPLETED -ACK-> CONFIRMED -timer I-> gone
    other server   TRYING -1xx-> PROCEEDING -final-> COMPLETED -timer J-> gone
    INVITE client  CALLING -1xx-> PROCEEDING -2xx-> ACCEPTED -timer M-> gone
                   CALLING, PROCEEDING -3..6xx, ACK sent-> COMPLETED -timer D-> gone
    other client   TRYING -1xx-> PROCEEDING -final-> gone
    any client     CALLING, TRYING -timer B, F-> timed out

Time is an argument; deadlines sit in one wheel. A flow is whatever the caller uses to name the way to a peer; the
layer only hands it back. What it wants sent waits in `take()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import MAGIC_COOKIE, parse_cseq, tag_of, via_key
from opencpm.protocols.sip.message import Message, encode_request, parse
from opencpm.protocols.sip.response import top_via
from opencpm.protocols.sip.wheel import TimerWheel

Flow = Any
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261 table 4, seconds."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def limit(self) -> float:
        """64*T1: timers B, F, H, J, L, M."""
        return 64 * self.t1


class State(Enum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


@dataclass(slots=True, eq=False)
class ServerTransaction:
    """A request that came in. Once answered, only the answer is kept. `context` is the caller's."""

    key: Key
    flow: Flow
    reliable: bool
    request: Message
    state: State
    response: bytes = b""
    interval: float = 0.0
    due: float = 0.0
    expires: float = 0.0
    accepted: Key = ()
    context: Any = None

    @property
    def invite(self) -> bool:
        return self.request.method == "INVITE"


@dataclass(slots=True, eq=False)
class ClientTransaction:
    """A request that went out. `context` is the caller's."""

    key: Key
    flow: Flow
    reliable: bool
    method: str
    data: bytes
    context: Any
    state: State
    interval: float
    due: float
    expires: float
    ack: bytes = b""


class Incoming(NamedTuple):
    """A new request for the core. An ACK to a 2xx comes with the INVITE's transaction, a stray one with None."""

    transaction: ServerTransaction | None
    request: Message
    flow: Flow


class Answer(NamedTuple):
    """A response to a request of ours; `response` None when none came in time or the way to the peer broke."""

    transaction: ClientTransaction
    response: Message | None
    failed: bool = False
    """With no response: the transport failed, rather than the time ran out."""


class AckMissing(NamedTuple):
    """A 2xx to an INVITE was never acknowledged: the core ends the dialog with BYE (RFC 3261 §13.3.1.4)."""

    transaction: ServerTransaction


Event = Incoming | Answer | AckMissing


class TransactionLayer:
    """All transactions of an endpoint. `max_server` bounds those kept for retransmissions: beyond it the oldest
    way out is to refuse, which is the caller's (see `full`)."""

    def __init__(self, timers: Timers | None = None, *, max_server: int = 300_000) -> None:
        self.timers = timers or Timers()
        self._max_server = max_server
        self._servers: dict[Key, ServerTransaction] = {}
        self._clients: dict[Key, ClientTransaction] = {}
        self._unacknowledged: dict[Key, ServerTransaction] = {}
        self._wheel: TimerWheel[ServerTransaction | ClientTransaction] = TimerWheel()
        self._out: list[tuple[Flow, bytes]] = []

    @property
    def full(self) -> bool:
        """More requests than bounds allow: answer 503 without a transaction."""
        return len(self._servers) >= self._max_server

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    def take(self) -> list[tuple[Flow, bytes]]:
        """What to send now, in order."""
        out, self._out = self._out, []
        return out

    def next_timeout(self) -> float | None:
        return self._wheel.next()

    # what comes in

    def receive(self, flow: Flow, reliable: bool, message: Message, now: float) -> Event | None:
        """Match one message. None: absorbed (a retransmission) or belonging to nothing. Raises SipError when a
        request has no usable Via or a response no usable CSeq; both are for dropping."""
        if message.status:
            return self._response(flow, message, now)
        branch, sent_by = via_key(top_via(message))
        method = message.method
        key = _server_key(message, branch, sent_by, "INVITE" if method == "ACK" else method)
        found = self._servers.get(key)
        if method == "ACK":
            return self._acknowledge(found, message, flow, now)
        if found is not None:
            if found.response:
                self._out.append((flow, found.response))
            return None
        state = State.PROCEEDING if method == "INVITE" else State.TRYING
        transaction = ServerTransaction(key, flow, reliable, message, state)
        self._servers[key] = transaction
        return Incoming(transaction, message, flow)

    def _acknowledge(self, found: ServerTransaction | None, ack: Message, flow: Flow, now: float) -> Event | None:
        if found is not None and found.state is State.COMPLETED:  # ACK to a failure: timer I
            if found.reliable:
                self._drop_server(found)
            else:
                found.state, found.expires = State.CONFIRMED, now + self.timers.t4
                self._schedule(found, found.expires)
            return None
        if found is not None and found.state is not State.ACCEPTED:
            return None
        accepted = self._unacknowledged.pop(_ack_key(ack), None)
        return Incoming(accepted, ack, flow)

    def _response(self, flow: Flow, response: Message, now: float) -> Event | None:
        branch, _ = via_key(top_via(response))
        method = parse_cseq(response.get("cseq")).method
        transaction = self._clients.get((branch, method))
        if transaction is None or (transaction.reliable and transaction.flow is not flow):
            return None  # nobody answers for another's connection (RFC 3261 §18.2.2)
        if method == "INVITE":
            return self._invite_response(transaction, response, now)
        if response.status < 200:
            if transaction.state is State.TRYING:
                transaction.state = State.PROCEEDING
        else:
            self._drop_client(transaction)
        return Answer(transaction, response)

    def _invite_response(self, transaction: ClientTransaction, response: Message, now: float) -> Event | None:
        state, status = transaction.state, response.status
        if status < 200:
            if state not in (State.CALLING, State.PROCEEDING):
                return None
            transaction.state = State.PROCEEDING
            return Answer(transaction, response)
        if status < 300:  # a repeated or forked 2xx also goes to the core, which sends the ACK (RFC 6026 §8.4)
            if state is State.COMPLETED:
                return None
            if state is not State.ACCEPTED:
                transaction.state, transaction.expires = State.ACCEPTED, now + self.timers.limit
                self._schedule(transaction, transaction.expires)
            return Answer(transaction, response)
        if state in (State.COMPLETED, State.ACCEPTED):
            if state is State.COMPLETED:
                self._out.append((transaction.flow, transaction.ack))
            return None
        transaction.ack = _failure_ack(transaction.data, response)
        self._out.append((transaction.flow, transaction.ack))
        transaction.state = State.COMPLETED
        if transaction.reliable:
            self._drop_client(transaction)
        else:
            transaction.expires = now + self.timers.limit
            self._schedule(transaction, transaction.expires)
        return Answer(transaction, response)

    # what goes out

    def respond(self, transaction: ServerTransaction, status: int, data: bytes, now: float) -> None:
        """Send a response. Responses after the final one are ignored, as are those to transactions that ended."""
        if transaction.state not in (State.TRYING, State.PROCEEDING):
            return
        self._out.append((transaction.flow, data))
        if status < 200:
            transaction.state, transaction.response = State.PROCEEDING, data
        elif transaction.invite:
            self._final_to_invite(transaction, status, data, now)
        elif transaction.reliable:
            self._drop_server(transaction)
        else:  # timer J
            transaction.state, transaction.response = State.COMPLETED, data
            transaction.request, transaction.context = _EMPTY, None
            transaction.expires = now + self.timers.limit
            self._wheel.add(transaction.expires, transaction)

    def _final_to_invite(self, transaction: ServerTransaction, status: int, data: bytes, now: float) -> None:
        timers = self.timers
        transaction.response, transaction.expires = data, now + timers.limit
        transaction.interval = timers.t1
        transaction.due = now + timers.t1
        if status < 300:  # repeated until the ACK comes, over every transport (RFC 3261 §13.3.1.4)
            transaction.state = State.ACCEPTED
            transaction.accepted = _ack_key(parse(data), transaction.request)
            self._unacknowledged[transaction.accepted] = transaction
        else:
            transaction.state = State.COMPLETED
            if transaction.reliable:
                transaction.due = transaction.expires
        self._schedule(transaction, transaction.due)

    def invite_of(self, cancel: Message) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is about (RFC 3261 §9.2), None when there is none (answer 481)."""
        branch, sent_by = via_key(top_via(cancel))
        return self._servers.get(_server_key(cancel, branch, sent_by, "INVITE"))

    def request(
        self, flow: Flow, reliable: bool, method: str, branch: str, data: bytes, context: Any, now: float
    ) -> ClientTransaction:
        """Send a request that carries `branch` in its top Via. ACK is not for here: see `send`."""
        timers = self.timers
        invite = method == "INVITE"
        expires = now + timers.limit
        transaction = ClientTransaction(
            (branch, method),
            flow,
            reliable,
            method,
            data,
            context,
            State.CALLING if invite else State.TRYING,
            timers.t1,
            expires if reliable else now + timers.t1,
            expires,
        )
        self._clients[transaction.key] = transaction
        self._out.append((flow, data))
        self._wheel.add(transaction.due, transaction)
        return transaction

    def send(self, flow: Flow, data: bytes) -> None:
        """Send outside any transaction: the ACK to a 2xx, a stateless answer."""
        self._out.append((flow, data))

    def flow_failed(self, flow: Flow) -> list[Event]:
        """The way to a peer broke: requests under way there have failed (RFC 3261 §17.1.4, §18.4)."""
        lost = [client for client in self._clients.values() if client.flow is flow]
        waiting = [client for client in lost if client.state in _WAITING]
        for client in lost:
            self._drop_client(client)
        return [Answer(client, None, True) for client in waiting]

    # time

    def poll(self, now: float) -> list[Event]:
        """Retransmit and give up what is due."""
        events: list[Event] = []
        for entry in self._wheel.take(now):
            if entry.state is State.TERMINATED:
                continue
            if isinstance(entry, ClientTransaction):
                self._client_due(entry, now, events)
            else:
                self._server_due(entry, now, events)
        return events

    def _client_due(self, client: ClientTransaction, now: float, events: list[Event]) -> None:
        if now >= client.expires:
            waiting = client.state in _WAITING
            if client.method == "INVITE" and client.state is State.PROCEEDING:
                return  # rings as long as the core likes: no timer after a provisional answer (§17.1.1.2)
            self._drop_client(client)
            if waiting:
                events.append(Answer(client, None))
            return
        if client.reliable or client.due > now or client.state in (State.ACCEPTED, State.COMPLETED):
            return
        if client.state is State.CALLING:  # timer A
            client.interval *= 2
        elif client.method == "INVITE":
            return
        else:  # timer E
            longest = client.state is State.PROCEEDING
            client.interval = self.timers.t2 if longest else min(client.interval * 2, self.timers.t2)
        self._out.append((client.flow, client.data))
        client.due = now + client.interval
        self._schedule(client, min(client.due, client.expires))

    def _server_due(self, server: ServerTransaction, now: float, events: list[Event]) -> None:
        if now >= server.expires:
            if server.accepted and self._unacknowledged.pop(server.accepted, None) is server:
                events.append(AckMissing(server))
            self._drop_server(server)
            return
        repeating = server.state is State.COMPLETED or (
            server.state is State.ACCEPTED and server.accepted in self._unacknowledged
        )
        if repeating and server.due <= now:  # timer G, or the 2xx of the core
            self._out.append((server.flow, server.response))
            server.interval = min(server.interval * 2, self.timers.t2)
            server.due = now + server.interval
            self._schedule(server, min(server.due, server.expires))
        elif server.state is State.ACCEPTED:
            self._schedule(server, server.expires)

    def _schedule(self, entry: ServerTransaction | ClientTransaction, due: float) -> None:
        self._wheel.add(due, entry)

    def _drop_server(self, transaction: ServerTransaction) -> None:
        transaction.state = State.TERMINATED
        self._servers.pop(transaction.key, None)

    def _drop_client(self, transaction: ClientTransaction) -> None:
        if transaction.state is not State.ACCEPTED:
            transaction.state = State.TERMINATED
        self._clients.pop(transaction.key, None)
        transaction.data = b""  # its wheel entry outlives it


_WAITING = frozenset({State.CALLING, State.TRYING, State.PROCEEDING})
_EMPTY = Message("", "", 0, "", {})


def _server_key(request: Message, branch: str, sent_by: str, method: str) -> Key:
    """RFC 3261 §17.2.3; without the magic cookie by what an RFC 2543 client repeats."""
    if branch.startswith(MAGIC_COOKIE):
        return branch, sent_by, method
    try:
        number = str(parse_cseq(request.get("cseq")).number)
    except SipError:
        number = ""
    return branch, sent_by, method, request.get("call-id"), number, tag_of(request.get("from")), request.uri


def _ack_key(message: Message, request: Message | None = None) -> Key:
    """What joins a 2xx and its ACK, whose branch is new: the dialog and the CSeq number."""
    number = str(parse_cseq(message.get("cseq")).number)
    first = request or message
    return first.get("call-id"), number, tag_of(first.get("from")), tag_of(message.get("to"))


def _failure_ack(data: bytes, response: Message) -> bytes:
    """The ACK to a final failure (RFC 3261 §17.1.1.3): the INVITE's own Via, Route and ids, the response's To."""
    invite = parse(data)
    number = parse_cseq(invite.get("cseq")).number
    fields = [
        ("Via", top_via(invite)),
        ("Max-Forwards", "70"),
        *[("Route", route) for route in invite.fields("route")],
        ("From", invite.get("from")),
        ("To", response.get("to") or invite.get("to")),
        ("Call-ID", invite.get("call-id")),
        ("CSeq", f"{number} ACK"),
    ]
    return encode_request("ACK", invite.uri, fields)
