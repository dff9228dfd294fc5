"""The user agent core: listeners, transaction layer, and the routing of requests to their handlers.

How a method is served. `endpoint.on("INVITE", handler)` before the listeners start; the handler gets lists of
`Request`, everything of one loop turn together, outside dialogs only. It answers each with `endpoint.answer`,
now or later, any number of 1xx and one final. CANCEL is answered here: the INVITE's `request.on_cancel()` is
called, and the handler answers the INVITE with 487.

How a dialog is kept. After a 2xx to an INVITE (or for a 1xx) make a `Dialog` (`uas_dialog(request.message,
request.to_tag)`; for our own INVITE `uac_dialog(sent.message, response)`) and give it to
`endpoint.adopt(dialog, user, flow)`; `user` is a `DialogUser`. In-dialog requests go to `user.requested`, whose CSeq
has been checked and whose Contact has refreshed the target; the ACK of the 2xx goes to `user.acknowledged`, and
`user.ack_missing` says that none came (send BYE). The 2xx is repeated by the transaction layer until the ACK.
`endpoint.release(dialog)` ends it; later requests get 481.

How a request is sent. `endpoint.send(flow, method, uri, fields, body, on_answer)` outside a dialog (fields
without Via and Content-Length), `endpoint.send_in(dialog, method, fields, body, on_answer)` inside one.
`on_answer(response | None, failed)` gets every response (1xx too, so look at `status`), or None when none came
(`failed`: the connection broke; else it timed out). After a 2xx to an INVITE call `endpoint.acknowledge(dialog,
number)` (also for a repeated 2xx). `endpoint.cancel(sent)` cancels an INVITE after its first 1xx.

Nothing here awaits. What is sent leaves at the end of the loop turn.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opencpm.access.sip.exchange import Counters, DialogUser, OnAnswer, Request, Sent
from opencpm.protocols.sip.dialog import Dialog, DialogId, dialog_id
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import MAGIC_COOKIE, parse_cseq, stamp_via
from opencpm.protocols.sip.message import Fields, Message, encode_request, parse
from opencpm.protocols.sip.response import (
    Refusal,
    check_request,
    check_require,
    encode_response,
    replace_top_via,
    top_via,
)
from opencpm.protocols.sip.transaction import (
    AckMissing,
    Answer,
    Event,
    Incoming,
    ServerTransaction,
    State,
    Timers,
    TransactionLayer,
)
from opencpm.transport.flow import Flow

__all__ = ["SUPPORTED", "DialogUser", "Endpoint", "OnAnswer", "Request", "Sent"]

log = logging.getLogger("opencpm.access.sip")

SUPPORTED = frozenset(
    {
        "path",
        "gruu",
        "outbound",
        "timer",
        "pref",
        "recipient-list-message",
        "recipient-list-invite",
        "multiple-refer",
        "norefersub",
    }
)
"""Option tags we honour; "pref" is RFC 3840/3841."""


@dataclass(slots=True)
class _Kept:
    dialog: Dialog
    user: DialogUser
    flow: Flow


class Endpoint:
    """One SIP element on any number of listeners. `new_token` gives fresh unguessable text (RFC 3261 §8.1.1.7).

    `via_host` is what our Via and Contact name; `find_flow(uri)` is asked for a new way when a dialog's flow has
    gone (the device may have come back with another connection).
    """

    def __init__(
        self,
        *,
        via_host: str,
        new_token: Callable[[], str],
        server: str = "opencpm",
        timers: Timers | None = None,
        max_transactions: int = 300_000,
    ) -> None:
        self.via_host, self.new_token, self.server = via_host, new_token, server
        self.find_flow: Callable[[str], Flow | None] = lambda uri: None
        self.counters = Counters()
        self.on_refused: Callable[[Request, Refusal], None] = lambda request, refusal: None
        self._loop = asyncio.get_running_loop()
        self._layer = TransactionLayer(timers, max_server=max_transactions)
        self._handlers: dict[str, Callable[[Sequence[Request]], None]] = {}
        self._dialogs: dict[DialogId, _Kept] = {}
        self._lost: list[Callable[[Flow], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = False
        self._receiving = False
        self._closed = False
        self._tags, self._tag_numbers = new_token()[:8], itertools.count(1)

    # what others hang on

    def on(self, method: str, handler: Callable[[Sequence[Request]], None]) -> None:
        """Serve a method outside dialogs. One handler for each method."""
        self._handlers[method] = handler

    def on_lost(self, heard: Callable[[Flow], None]) -> None:
        """Be told when a connection has gone."""
        self._lost.append(heard)

    @property
    def allow(self) -> str:
        """The Allow value: the methods served."""
        return ", ".join(sorted({*self._handlers, "ACK", "CANCEL"}))

    @property
    def dialogs(self) -> int:
        return len(self._dialogs)

    # in

    def received(self, batch: Sequence[tuple[Flow, bytes]]) -> None:
        """Everything that came in one loop turn."""
        self.counters.received += len(batch)
        self._receiving = True
        try:
            self._take_all(batch, self._loop.time())
        finally:
            self._receiving = False
            self._flush()

    def _take_all(self, batch: Sequence[tuple[Flow, bytes]], now: float) -> None:
        """Hand requests over in runs of one method, so that a batch keeps its order."""
        run: list[Request] = []
        for flow, data in batch:
            try:
                request = self._take(flow, data, now)
            except Exception:  # a fault over one message must not take the others of the batch along
                log.exception("a message from %s:%d could not be handled", *flow.peer)
                continue
            if request is None:
                continue
            if run and run[0].method != request.method:
                self._serve(run)
                run = []
            run.append(request)
        if run:
            self._serve(run)

    def lost(self, flow: Flow) -> None:
        """A connection has gone: requests under way on it have failed."""
        self._dispatch(self._layer.flow_failed(flow))
        for heard in self._lost:
            heard(flow)
        self._flush()

    def _take(self, flow: Flow, data: bytes, now: float) -> Request | None:
        """Parse and match one message; the request, if it is for a method handler."""
        try:
            message = parse(data)
            if message.status:
                self._answered(self._layer.receive(flow, flow.reliable, message, now))
                return None
            replace_top_via(message, stamp_via(top_via(message), *flow.peer))
            if self._layer.full and message.method != "ACK":
                self._refuse(flow, message, Refusal(503, "", ("Retry-After", "5")))
                return None
            event = self._layer.receive(flow, flow.reliable, message, now)
        except SipError as error:
            self.counters.malformed += 1
            log.debug("dropped %d octets from %s:%d: %s", len(data), *flow.peer, error)
            return None
        return self._checked(event) if isinstance(event, Incoming) else None

    def _checked(self, event: Incoming) -> Request | None:
        message = event.request
        request = Request(message, event.flow, event.transaction, self._tag(message.method))
        if event.transaction is not None and message.method == "INVITE":
            event.transaction.context = request
        try:
            check_request(message)
            if message.method not in ("ACK", "CANCEL"):
                check_require(message, SUPPORTED)
            return self._routed(request)
        except Refusal as refusal:
            self.refuse(request, refusal)
        except SipError as error:
            self.refuse(request, Refusal(error.status, str(error)))
        return None

    def _tag(self, method: str) -> str:
        """A To tag. Only those that may name a dialog must be unguessable (RFC 3261 §19.3)."""
        return self.new_token() if method in _DIALOGUES else f"{self._tags}-{next(self._tag_numbers)}"

    def _routed(self, request: Request) -> Request | None:
        message = request.message
        if message.method == "CANCEL":
            self._cancelled(request)
            return None
        dialog = dialog_id(message)
        if dialog is not None:
            self._in_dialog(request, dialog)
            return None
        if message.method == "ACK":
            return None
        if message.method not in self._handlers:
            raise Refusal(405 if message.method in _KNOWN else 501, "", ("Allow", self.allow))
        return request

    def _in_dialog(self, request: Request, dialog: DialogId) -> None:
        kept = self._dialogs.get(dialog)
        if kept is None:
            if request.method != "ACK":
                raise Refusal(481)
            return
        kept.flow = request.flow
        if request.method == "ACK":
            kept.user.acknowledged(request)
            return
        kept.dialog.take_request(request.message)
        kept.user.requested(request)

    def _cancelled(self, cancel: Request) -> None:
        found = self._layer.invite_of(cancel.message)
        if found is None:
            raise Refusal(481)
        invite = found.context
        if isinstance(invite, Request):
            cancel.to_tag = invite.to_tag
            self.answer(cancel, 200)
            if not invite.answered and invite.on_cancel is not None:
                invite.on_cancel()

    def _serve(self, requests: list[Request]) -> None:
        method = requests[0].method
        self.counters.by_method[method] = self.counters.by_method.get(method, 0) + len(requests)
        try:
            self._handlers[method](requests)
        except Exception:  # a fault in a handler must not stop the others
            log.exception("%s handler failed", method)
            for request in requests:
                self.answer(request, 500)

    def _dispatch(self, events: Sequence[Event]) -> None:
        for event in events:
            self._answered(event)

    def _answered(self, event: Event | None) -> None:
        try:
            if isinstance(event, Answer):
                transaction = event.transaction
                context: Any = transaction.context
                if transaction.state is State.TERMINATED:
                    transaction.context = None  # its timer outlives it, and need not keep the message
                if isinstance(context, Sent):
                    context.on_answer(event.response, event.failed)
            elif isinstance(event, AckMissing):
                kept = self._dialogs.get(self._id_of(event.transaction, event.transaction.request))
                if kept is not None:
                    kept.user.ack_missing()
        except Exception:  # a fault in one transaction's user must not stop the others
            log.exception("handling an answer failed")

    @staticmethod
    def _id_of(transaction: ServerTransaction, request: Message) -> DialogId:
        context = transaction.context
        tag = context.to_tag if isinstance(context, Request) else ""
        found = dialog_id(request)
        return found or (request.get("call-id"), tag, transaction.accepted[2])

    # out

    def answer(
        self, request: Request, status: int, *, reason: str = "", fields: Fields = (), body: bytes = b""
    ) -> None:
        """Answer a request; ignored after a final answer. `fields` are extra headers."""
        transaction = request.transaction
        if request.answered or transaction is None:
            return
        request.answered = status >= 200
        data = encode_response(request.message, status, to_tag=request.to_tag, reason=reason, fields=fields, body=body)
        self._layer.respond(transaction, status, data, self._loop.time())
        self._flush()

    def refuse(self, request: Request, refusal: Refusal) -> None:
        """Answer with a refusal's status, reason and headers."""
        self.counters.refused += 1
        self.on_refused(request, refusal)
        self.answer(request, refusal.status, reason=str(refusal), fields=refusal.fields)

    def _refuse(self, flow: Flow, message: Message, refusal: Refusal) -> None:
        """The same without a transaction (RFC 3261 §8.2.7)."""
        self.counters.refused += 1
        fields = refusal.fields
        data = encode_response(message, refusal.status, to_tag="x", reason=str(refusal), fields=fields)
        self._layer.send(flow, data)

    def send(
        self,
        flow: Flow,
        method: str,
        uri: str,
        fields: Sequence[tuple[str, str]],
        body: bytes = b"",
        on_answer: OnAnswer = lambda response, failed: None,
    ) -> Sent:
        """Send a request on a flow in a transaction of its own. A closed flow fails it at the next turn."""
        branch = f"{MAGIC_COOKIE}{self.new_token()}"
        data = encode_request(method, uri, [("Via", self._via(flow, branch)), *fields], body)
        sent = Sent(_EMPTY, flow, on_answer)
        if method == "INVITE":
            sent.message = parse(data)
        if not flow.open:
            self._loop.call_soon(on_answer, None, True)
            return sent
        self.counters.sent += 1
        sent.branch = branch
        self._layer.request(flow, flow.reliable, method, branch, data, sent, self._loop.time())
        self._flush()
        return sent

    def _via(self, flow: Flow, branch: str) -> str:
        return f"SIP/2.0/{flow.kind} {self.via_host}:{flow.local[1]};branch={branch};rport"

    def contact(self, flow: Flow, *parameters: str, user: str = "cpm") -> str:
        """Our Contact on a flow; parameters are feature tags as written."""
        transport = flow.kind.lower()
        uri = f"<sip:{user}@{self.via_host}:{flow.local[1]};transport={transport}>"
        return ";".join([uri, *parameters])

    def cancel(self, sent: Sent) -> None:
        """Cancel an INVITE that has got a 1xx and no final response (RFC 3261 §9.1)."""
        message = sent.message
        if not sent.branch or not message.method:
            return
        number = parse_cseq(message.get("cseq")).number
        fields = [
            ("Via", message.get("via")),
            ("Max-Forwards", "70"),
            *[("Route", route) for route in message.fields("route")],
            ("From", message.get("from")),
            ("To", message.get("to")),
            ("Call-ID", message.get("call-id")),
            ("CSeq", f"{number} CANCEL"),
            *[("Reason", reason) for reason in message.fields("reason")],
        ]
        data = encode_request("CANCEL", message.uri, fields)
        nobody = Sent(_EMPTY, sent.flow, lambda response, failed: None)
        self._layer.request(sent.flow, sent.flow.reliable, "CANCEL", sent.branch, data, nobody, self._loop.time())
        self._flush()

    # dialogs

    def adopt(self, dialog: Dialog, user: DialogUser, flow: Flow) -> None:
        """Route the requests of a dialog to its user."""
        self._dialogs[dialog.id] = _Kept(dialog, user, flow)

    def release(self, dialog: Dialog) -> None:
        """The dialog has ended."""
        self._dialogs.pop(dialog.id, None)

    def send_in(
        self,
        dialog: Dialog,
        method: str,
        fields: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        on_answer: OnAnswer = lambda response, failed: None,
    ) -> Sent:
        """Send a request inside an adopted dialog, on the flow it uses now."""
        uri, head = dialog.next_request(method)
        return self.send(self._flow_of(dialog), method, uri, [*head, *fields], body, on_answer)

    def acknowledge(
        self, dialog: Dialog, number: int, fields: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Send the ACK to the 2xx of our INVITE with this CSeq number."""
        uri, head = dialog.ack(number)
        flow = self._flow_of(dialog)
        via = ("Via", self._via(flow, f"{MAGIC_COOKIE}{self.new_token()}"))
        self._layer.send(flow, encode_request("ACK", uri, [via, *head, *fields], body))
        self._flush()

    def flow_in(self, dialog: Dialog) -> Flow | None:
        """The flow a dialog uses now; None when it is not adopted."""
        kept = self._dialogs.get(dialog.id)
        return kept.flow if kept is not None else None

    def _flow_of(self, dialog: Dialog) -> Flow:
        kept = self._dialogs[dialog.id]
        if not kept.flow.open:
            kept.flow = self.find_flow(dialog.remote_target) or kept.flow
        return kept.flow

    # the end of a turn

    def _flush(self) -> None:
        """Let everything leave at the end of this loop turn, and move the one timer."""
        if self._receiving:
            return
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flushed)

    def _flushed(self) -> None:
        self._flushing = False
        for flow, data in self._layer.take():
            flow.send(data)
        self._arm()

    def _arm(self) -> None:
        due = None if self._closed else self._layer.next_timeout()
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._due)

    def _due(self) -> None:
        self._timer = None
        self._dispatch(self._layer.poll(self._loop.time()))
        self._flushed()

    def close(self) -> None:
        """Send what is still to be sent and keep no more time; the listeners are closed by their owner."""
        for flow, data in self._layer.take():
            flow.send(data)
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_EMPTY = Message("", "", 0, "", {})
_DIALOGUES = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})
_KNOWN = frozenset(
    {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE", "PRACK", "UPDATE", "INFO"}
    | {"SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"}
)
