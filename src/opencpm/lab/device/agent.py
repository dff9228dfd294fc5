"""The SIP side of a device: one flow to its server, transactions, digest."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencpm.lab.device.journal import Journal
from opencpm.protocols.sip import digest
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import MAGIC_COOKIE, Auth, parse_auth
from opencpm.protocols.sip.message import Message, encode_request, parse
from opencpm.protocols.sip.response import encode_response
from opencpm.protocols.sip.transaction import Answer, Event, Incoming, ServerTransaction, Timers, TransactionLayer
from opencpm.transport.flow import Flow
from opencpm.transport.listeners import Listeners

Fields = Sequence[tuple[str, str]]
AGENT = "IM-client/OMA1.0 OpenCPM-lab/1.0"


def token() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Account:
    """Who the device is. ``identity`` is the address of record, ``sip:alice@cpm.test``."""

    identity: str
    username: str
    password: str
    realm: str = ""  # empty: whatever the server names


@dataclass(slots=True)
class _Waiting:
    future: asyncio.Future[Message]
    provisional: Callable[[Message], None] | None


class Agent:
    """Sends requests and awaits their final responses; hands incoming requests to ``on_request``."""

    def __init__(
        self,
        account: Account,
        journal: Journal,
        on_request: Callable[[ServerTransaction | None, Message], None],
    ) -> None:
        self.account = account
        self.journal = journal
        self.flow: Flow | None = None
        self._on_request = on_request
        self._loop = asyncio.get_running_loop()
        self._layer = TransactionLayer(Timers())
        self._listeners = Listeners(self._received, self._lost)
        self._timer: asyncio.TimerHandle | None = None
        self._challenge: Auth | None = None
        self._count = 0
        self.lost = asyncio.Event()

    # -- the way to the server -------------------------------------------------------------------------------

    async def connect(self, transport: str, host: str, port: int) -> None:
        """Take up a flow over UDP or TCP. :raises OSError:"""
        self.lost.clear()
        if transport == "UDP":
            await self._listeners.listen("UDP", host, 0)
            self.flow = self._listeners.udp_flow((host, port))
        else:
            self.flow = await self._listeners.dial(transport, host, port)

    @property
    def contact(self) -> str:
        """The URI under which the server reaches this device."""
        assert self.flow is not None, "connect first"
        host, port = self.flow.local
        return f"sip:{self.account.username}@{host}:{port};transport={self.flow.kind.lower()}"

    def close(self) -> None:
        """Go away without a word."""
        if self._timer is not None:
            self._timer.cancel()
        self._listeners.close()

    # -- requests --------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        uri: str,
        fields: Fields,
        body: bytes = b"",
        provisional: Callable[[Message], None] | None = None,
    ) -> tuple[Message, Message]:
        """Send, answering a challenge if one comes; returns the request as last sent and its final response.

        :raises TimeoutError: no answer. :raises ConnectionError: the flow broke.
        """
        sent, response = await self._once(method, uri, self._authorized(fields, method, uri, False), body, provisional)
        if response.status in (401, 407):
            self._challenge = _best(response) or self._challenge
            again = self._authorized(_next_cseq(fields), method, uri, True)
            sent, response = await self._once(method, uri, again, body, provisional)
        return sent, response

    def send(self, method: str, uri: str, fields: Fields, body: bytes = b"") -> None:
        """Send outside any transaction: an ACK."""
        _, data = self._encoded(method, uri, fields, body)
        self._layer.send(self.flow, data)
        self._flush()

    async def _once(
        self, method: str, uri: str, fields: Fields, body: bytes, provisional: Callable[[Message], None] | None
    ) -> tuple[Message, Message]:
        branch, data = self._encoded(method, uri, fields, body)
        assert self.flow is not None, "connect first"
        waiting = _Waiting(self._loop.create_future(), provisional)
        self._layer.request(self.flow, self.flow.reliable, method, branch, data, waiting, self._loop.time())
        self._flush()
        return parse(data), await waiting.future

    def _encoded(self, method: str, uri: str, fields: Fields, body: bytes) -> tuple[str, bytes]:
        assert self.flow is not None, "connect first"
        branch = f"{MAGIC_COOKIE}-{token()}"
        host, port = self.flow.local
        via = ("Via", f"SIP/2.0/{self.flow.kind} {host}:{port};branch={branch};rport")
        return branch, encode_request(method, uri, [via, *fields, ("User-Agent", AGENT)], body)

    def cancel(self, invite: Message) -> None:
        """Withdraw an INVITE that rings (RFC 3261 §9.1)."""
        fields = [(name, invite.get(name.lower())) for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")]
        fields.append(("CSeq", invite.get("cseq").replace("INVITE", "CANCEL")))
        branch = invite.get("via").partition("branch=")[2].partition(";")[0]
        data = encode_request("CANCEL", invite.uri, fields)
        assert self.flow is not None
        waiting = _Waiting(self._loop.create_future(), None)
        self._layer.request(self.flow, self.flow.reliable, "CANCEL", branch, data, waiting, self._loop.time())
        self._flush()

    def respond(
        self,
        transaction: ServerTransaction,
        request: Message,
        status: int,
        fields: Fields = (),
        body: bytes = b"",
        to_tag: str = "",
    ) -> None:
        data = encode_response(request, status, to_tag=to_tag or token(), fields=fields, body=body)
        self._layer.respond(transaction, status, data, self._loop.time())
        self._flush()

    # -- digest ----------------------------------------------------------------------------------------------

    def _authorized(self, fields: Fields, method: str, uri: str, challenged: bool) -> Fields:
        if self._challenge is None or not (challenged or method == "REGISTER"):
            return fields
        self._count += 1
        return [*fields, ("Authorization", self._answer(self._challenge, method, uri))]

    def _answer(self, challenge: Auth, method: str, uri: str) -> str:
        algorithm, realm = digest.algorithm_of(challenge), challenge.get("realm")
        values = {
            "username": self.account.username,
            "realm": realm,
            "nonce": challenge.get("nonce"),
            "uri": uri,
            "qop": "auth" if challenge.get("qop") else "",
            "nc": f"{self._count:08x}",
            "cnonce": token(),
        }
        secret = digest.ha1(self.account.username, realm, self.account.password, algorithm)
        response = digest.answer(secret, Auth("digest", values), method, algorithm)
        counted = f', qop=auth, nc={values["nc"]}, cnonce="{values["cnonce"]}"' if values["qop"] else ""
        return (
            f'Digest username="{values["username"]}", realm="{realm}", nonce="{values["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm={algorithm}{counted}'
        )

    # -- the wire --------------------------------------------------------------------------------------------

    def _received(self, batch: Sequence[tuple[Flow, bytes]]) -> None:
        for flow, data in batch:
            self.journal.wire("sip.in", data)
            try:
                event = self._layer.receive(flow, flow.reliable, parse(data), self._loop.time())
            except SipError:
                continue
            if event is not None:
                self._happened(event)
        self._flush()

    def _happened(self, event: Event) -> None:
        if isinstance(event, Incoming):
            self._on_request(event.transaction, event.request)
        elif isinstance(event, Answer):
            _answered(event.transaction.context, event)

    def _lost(self, flow: Flow) -> None:
        for event in self._layer.flow_failed(flow):
            self._happened(event)
        self.lost.set()

    def _due(self) -> None:
        self._timer = None
        for event in self._layer.poll(self._loop.time()):
            self._happened(event)
        self._flush()

    def _flush(self) -> None:
        for flow, data in self._layer.take():
            self.journal.wire("sip.out", data)
            flow.send(data)
        due = self._layer.next_timeout()
        if due is not None and (self._timer is None or due < self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(due, self._due)


def _answered(waiting: _Waiting, answer: Answer) -> None:
    response = answer.response
    if response is not None and response.status < 200:
        if waiting.provisional is not None:
            waiting.provisional(response)
    elif waiting.future.done():
        return
    elif response is not None:
        waiting.future.set_result(response)
    else:
        waiting.future.set_exception(ConnectionError("the flow broke") if answer.failed else TimeoutError("no answer"))
        waiting.future.exception()


def _best(response: Message) -> Auth | None:
    """The strongest challenge that we can answer (RFC 8760 §2.4)."""
    found = [
        parse_auth(value) for name in ("www-authenticate", "proxy-authenticate") for value in response.fields(name)
    ]
    known = [auth for auth in found if digest.algorithm_of(auth)]
    return next((auth for auth in known if digest.algorithm_of(auth) == "SHA-256"), known[0] if known else None)


def _next_cseq(fields: Fields) -> Fields:
    def raised(value: str) -> str:
        number, _, method = value.partition(" ")
        return f"{int(number) + 1} {method}"

    return [(name, raised(value) if name == "CSeq" else value) for name, value in fields]
