"""A telephone for many calls at once, as a machine (RFC 3261): datagrams in, events and datagrams out.

Half of what a SIP phone does is left out on purpose: no forking phones, no transfer, no hold, no other media than
G.711. A request to change the media into anything else is refused with 488, and the call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opencpm.protocols.sdp import SdpError
from opencpm.protocols.sip.dialog import Dialog, DialogId, dialog_id, uac_dialog, uas_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import MAGIC_COOKIE, parse_cseq
from opencpm.protocols.sip.message import Message, encode_request, parse
from opencpm.protocols.sip.response import Refusal, check_request, encode_response
from opencpm.protocols.sip.transaction import (
    AckMissing,
    Answer,
    Incoming,
    ServerTransaction,
    Timers,
    TransactionLayer,
)

from . import audio
from .audio import Audio
from .caller import called_of, caller_of
from .credentials import authorization, challenge_of
from .errands import Errands
from .events import (
    Answered,
    Call,
    Credentials,
    Event,
    HungUp,
    Offered,
    Progress,
    Refused,
    Stage,
)

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"
_HARMLESS = frozenset({"OPTIONS", "INFO"})
_MAX_TRANSACTIONS = 20_000


class CallAgent:
    """``local``: host and port as others reach us; ``new_token`` gives fresh unguessable text. Flows are opaque."""

    def __init__(
        self,
        local: tuple[str, int],
        new_token: Callable[[], str],
        *,
        name: str = "OpenCPM",
        timers: Timers | None = None,
    ) -> None:
        self.calls = 0
        self._host, self._port = local
        self._token, self._name = new_token, name
        self._layer = TransactionLayer(timers, max_server=_MAX_TRANSACTIONS)
        self.errands = Errands(self._layer, local, new_token, name)
        self._dialogs: dict[DialogId, Call] = {}
        self._events: list[Event] = []

    # -- what the owner does

    def dial(
        self,
        flow: Any,
        number: str,
        caller: str,
        host: str,
        mine: Audio,
        now: float,
        *,
        context: Any = None,
        credentials: Credentials | None = None,
    ) -> Call:
        """Call a number at a trunk (``host``: its name or address with port)."""
        call = Call(True, caller, number, flow, Stage.CALLING, mine, context=context, credentials=credentials)
        call.tag = self._token()
        self.calls += 1
        identity = f"<sip:{caller}@{self._host}>"
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"{identity};tag={call.tag}"),
            ("To", f"<sip:{number}@{host}>"),
            ("Call-ID", f"{self._token()}@{self._host}"),
            ("CSeq", "1 INVITE"),
            ("P-Asserted-Identity", identity),
        ]
        self._invite(call, f"sip:{number}@{host}", fields, now)
        return call

    def _invite(self, call: Call, uri: str, fields: Sequence[tuple[str, str]], now: float) -> None:
        call.branch = f"{MAGIC_COOKIE}{self._token()}"
        head = [("Via", self._via(call.branch)), *fields, *self._about_us()]
        body = call.mine.describe()
        data = encode_request("INVITE", uri, [*head, ("Content-Type", "application/sdp")], body)
        call.request = parse(data)
        self._layer.request(call.flow, False, "INVITE", call.branch, data, call, now)

    def ring(self, call: Call, now: float) -> None:
        """Say that an offered call rings somewhere."""
        assert call.request is not None
        assert call.transaction is not None
        self._respond(call.transaction, call.request, 180, now, tag=call.tag, fields=self._about_us())

    def accept(self, call: Call, mine: Audio, now: float) -> None:
        """Answer an offered call. Its ``remote`` must be known already or come with the ACK."""
        assert call.request is not None
        assert call.transaction is not None
        call.mine = mine
        try:
            dialog = uas_dialog(call.request, call.tag)
        except SipError as error:
            self._respond(call.transaction, call.request, 400, now, reason=str(error))
            self._over(call)
            return
        self._adopt(call, dialog)
        call.stage = Stage.UP
        fields = [*self._about_us(), ("Content-Type", "application/sdp")]
        self._respond(call.transaction, call.request, 200, now, tag=call.tag, fields=fields, body=mine.describe())

    def refuse(self, call: Call, status: int, now: float, reason: str = "") -> None:
        """Do not take an offered call."""
        assert call.request is not None
        assert call.transaction is not None
        self._respond(call.transaction, call.request, status, now, tag=call.tag, reason=reason)
        self._over(call)

    def hang_up(self, call: Call, now: float) -> None:
        """End a call, whatever its stage; a call that was not answered yet still tells how it ended."""
        if call.stage is Stage.UP:
            self._bye(call, now)
            self._over(call)
        elif call.stage is Stage.CALLING:
            call.stage = Stage.WITHDRAWN
            if call.ringing:
                self._cancel(call, now)
        elif call.stage is Stage.OFFERED:
            self.refuse(call, 480, now)

    # -- the wire

    def receive(self, flow: Any, datagram: bytes, now: float) -> list[Event]:
        """Take a datagram. What cannot be read is dropped."""
        try:
            event = self._layer.receive(flow, False, parse(datagram), now)
            if event is not None:
                self._happened(event, now)
        except SipError:
            pass
        return self._take()

    def due(self, now: float) -> list[Event]:
        """Retransmissions and time-outs; call at ``next_timeout``."""
        for event in self._layer.poll(now):
            self._happened(event, now)
        return self._take()

    def next_timeout(self) -> float | None:
        return self._layer.next_timeout()

    def take(self) -> list[tuple[Any, bytes]]:
        """What to send now: flow and datagram."""
        return self._layer.take()

    def _happened(self, event: Incoming | Answer | AckMissing, now: float) -> None:
        if isinstance(event, Incoming):
            if event.transaction is None or event.request.method == "ACK":
                self._acknowledged(event.request, now)
            else:
                self._requested(event.transaction, event.request, event.flow, now)
        elif isinstance(event, Answer):
            context = event.transaction.context
            if isinstance(context, Call):
                self._answered(context, event.response, now)
            elif context is not None:
                self._events += self.errands.answered(context, event.response, now)
        else:
            call = event.transaction.context
            if isinstance(call, Call) and call.stage is Stage.UP:
                self._bye(call, now)
                self._ended(call, "the answer was never acknowledged")

    # -- requests of others

    def _requested(self, transaction: ServerTransaction, request: Message, flow: Any, now: float) -> None:
        try:
            check_request(request)
        except Refusal as refusal:
            self._respond(transaction, request, refusal.status, now, reason=str(refusal), fields=refusal.fields)
            return
        if request.method == "CANCEL":
            self._cancelled(transaction, request, now)
            return
        ident = dialog_id(request)
        if ident is not None:
            self._inside(transaction, request, self._dialogs.get(ident), now)
        elif request.method == "INVITE":
            self._offered(transaction, request, flow, now)
        elif request.method in _HARMLESS:
            self._respond(transaction, request, 200, now, fields=[("Allow", ALLOW)])
        else:
            self._respond(transaction, request, 405, now, fields=[("Allow", ALLOW)])

    def _offered(self, transaction: ServerTransaction, invite: Message, flow: Any, now: float) -> None:
        nowhere = Audio("", 0)
        call = Call(False, caller_of(invite), called_of(invite), flow, Stage.OFFERED, nowhere)
        call.tag, call.request, call.transaction = self._token(), invite, transaction
        transaction.context = call
        self.calls += 1
        if "100rel" in invite.tokens("require"):
            self._respond(transaction, invite, 420, now, fields=[("Unsupported", "100rel")])
            self._over(call)
            return
        if invite.body and not self._read_audio(call, invite.body):
            self._respond(transaction, invite, 488, now, tag=call.tag)
            self._over(call)
            return
        self._events.append(Offered(call))

    def _read_audio(self, call: Call, body: bytes) -> bool:
        """Take the other end's description; whether it will do."""
        try:
            remote = audio.read(body)
            call.law = audio.agreed(call.mine.laws, remote)
        except SdpError as error:
            call.history.append(str(error))
            return False
        call.remote = remote
        return True

    def _inside(self, transaction: ServerTransaction, request: Message, call: Call | None, now: float) -> None:
        if call is None or call.dialog is None:
            self._respond(transaction, request, 481, now)
            return
        try:
            call.dialog.take_request(request)
        except Refusal as refusal:
            self._respond(transaction, request, refusal.status, now, reason=str(refusal))
            return
        if request.method == "BYE":
            self._respond(transaction, request, 200, now)
            self._ended(call, request.get("reason"))
        elif request.method in ("INVITE", "UPDATE"):
            self._changed(transaction, request, call, now)
        else:
            status = 200 if request.method in _HARMLESS else 405
            self._respond(transaction, request, status, now, fields=[("Allow", ALLOW)])

    def _changed(self, transaction: ServerTransaction, request: Message, call: Call, now: float) -> None:
        """The far end wants other media: the same law from elsewhere will do, anything else will not."""
        law, remote = call.law, call.remote
        body = b""
        if request.body:
            good = self._read_audio(call, request.body)
            if not good or call.law != law:
                call.law, call.remote = law, remote
                warning = ("Warning", f'305 {self._host} "only G.711, as it is now"')
                self._respond(transaction, request, 488, now, fields=[warning])
                return
            body = call.mine.describe()
        elif request.method == "INVITE":
            body = call.mine.describe()
        kind = [("Content-Type", "application/sdp")] if body else []
        self._respond(transaction, request, 200, now, fields=[*self._about_us(), *kind], body=body)

    def _cancelled(self, transaction: ServerTransaction, cancel: Message, now: float) -> None:
        invite = self._layer.invite_of(cancel)
        self._respond(transaction, cancel, 200 if invite else 481, now)
        call = invite.context if invite is not None else None
        if isinstance(call, Call) and call.stage is Stage.OFFERED:
            self.refuse(call, 487, now)
            self._events.append(HungUp(call, "the caller gave up"))

    def _acknowledged(self, ack: Message, now: float) -> None:
        ident = dialog_id(ack)
        call = self._dialogs.get(ident) if ident else None
        if call is None or call.remote is not None:
            return
        if not ack.body or not self._read_audio(call, ack.body):
            self._bye(call, now)
            self._ended(call, "no G.711 in the answer")

    # -- answers to ours

    def _answered(self, call: Call, response: Message | None, now: float) -> None:
        if response is None:
            self._refused(call, 0, "no answer from the trunk")
        elif response.status < 200:
            self._provisional(call, response, now)
        elif response.status < 300:
            self._success(call, response, now)
        elif response.status in (401, 407) and call.credentials is not None and not call.tried_credentials:
            self._authorized(call, response, now)
        else:
            self._refused(call, response.status, response.get("reason") or response.reason)

    def _provisional(self, call: Call, response: Message, now: float) -> None:
        first, call.ringing = not call.ringing, True
        if call.stage is Stage.WITHDRAWN:
            if first:
                self._cancel(call, now)
        elif response.status > 100:
            early = bool(response.body) and self._read_audio(call, response.body)
            self._events.append(Progress(call, response.status, early))

    def _success(self, call: Call, response: Message, now: float) -> None:
        assert call.request is not None
        try:
            dialog = uac_dialog(call.request, response)
        except SipError:
            self._refused(call, 502, "the answer cannot be read")
            return
        number = parse_cseq(call.request.get("cseq")).number
        known = call.dialog is not None and call.dialog.id == dialog.id
        self._acknowledge(call, dialog, number)
        if known:
            return  # the answer was repeated
        if call.stage is not Stage.CALLING:  # withdrawn, or a second phone picked up
            uri, head = dialog.next_request("BYE")
            self._send(call.flow, "BYE", uri, head, now)
            if call.stage is Stage.WITHDRAWN:
                self._refused(call, 487, "withdrawn")
            return
        self._adopt(call, dialog)
        call.stage = Stage.UP
        if not self._read_audio(call, response.body):
            self._bye(call, now)
            self._refused(call, 488, "the answer has no G.711")
            return
        self._events.append(Answered(call))

    def _authorized(self, call: Call, response: Message, now: float) -> None:
        """Once more, with the answer to the challenge (RFC 3261 §22.2)."""
        found = challenge_of(response)
        assert call.request is not None
        assert call.credentials is not None
        call.tried_credentials = True
        if found is None:
            self._refused(call, response.status, "a challenge that cannot be answered")
            return
        header, challenge = found
        user, password = call.credentials
        value = authorization(challenge, user, password, "INVITE", call.request.uri, self._token())
        names = ("Max-Forwards", "From", "To", "Call-ID", "P-Asserted-Identity")
        fields = [(name, call.request.get(name.lower())) for name in names]
        self._invite(call, call.request.uri, [*fields, ("CSeq", "2 INVITE"), (header, value)], now)

    def _refused(self, call: Call, status: int, reason: str) -> None:
        if call.stage is not Stage.OVER:
            self._over(call)
            self._events.append(Refused(call, status, reason))

    # -- sending

    def _acknowledge(self, call: Call, dialog: Dialog, number: int) -> None:
        uri, head = dialog.ack(number)
        via = ("Via", self._via(f"{MAGIC_COOKIE}{self._token()}"))
        self._layer.send(call.flow, encode_request("ACK", uri, [via, *head]))

    def _bye(self, call: Call, now: float) -> None:
        if call.dialog is not None:
            uri, head = call.dialog.next_request("BYE")
            self._send(call.flow, "BYE", uri, [*head, ("Reason", 'Q.850;cause=16;text="Normal call clearing"')], now)

    def _cancel(self, call: Call, now: float) -> None:
        """RFC 3261 §9.1: the INVITE's own Via, ids and number."""
        assert call.request is not None
        names = ("Via", "Max-Forwards", "From", "To", "Call-ID")
        fields = [(name, call.request.get(name.lower())) for name in names]
        number = parse_cseq(call.request.get("cseq")).number
        data = encode_request("CANCEL", call.request.uri, [*fields, ("CSeq", f"{number} CANCEL")])
        self._layer.request(call.flow, False, "CANCEL", call.branch, data, None, now)

    def _send(self, flow: Any, method: str, uri: str, fields: Sequence[tuple[str, str]], now: float) -> None:
        branch = f"{MAGIC_COOKIE}{self._token()}"
        data = encode_request(method, uri, [("Via", self._via(branch)), *fields])
        self._layer.request(flow, False, method, branch, data, None, now)

    def _respond(
        self,
        transaction: ServerTransaction,
        request: Message,
        status: int,
        now: float,
        *,
        tag: str = "",
        reason: str = "",
        fields: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        data = encode_response(request, status, to_tag=tag or self._token(), reason=reason, fields=fields, body=body)
        self._layer.respond(transaction, status, data, now)

    def _via(self, branch: str) -> str:
        return f"SIP/2.0/UDP {self._host}:{self._port};branch={branch};rport"

    def _about_us(self) -> list[tuple[str, str]]:
        contact = ("Contact", f"<sip:cpm@{self._host}:{self._port}>")
        return [contact, ("Allow", ALLOW), ("User-Agent", self._name)]

    # -- calls

    def _adopt(self, call: Call, dialog: Dialog) -> None:
        call.dialog = dialog
        self._dialogs[dialog.id] = call

    def _ended(self, call: Call, reason: str) -> None:
        self._over(call)
        self._events.append(HungUp(call, reason))

    def _over(self, call: Call) -> None:
        if call.stage is not Stage.OVER:
            self.calls -= 1
        call.stage = Stage.OVER
        if call.dialog is not None:
            self._dialogs.pop(call.dialog.id, None)

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events
