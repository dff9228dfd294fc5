"""Pager mode, from devices: MESSAGE becomes a message, a disposition report or typing (RFC 3428, CPM pager mode)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.auth import Authenticator, Originator
from opencpm.access.sip.content import Content, clean, read
from opencpm.access.sip.endpoint import Endpoint, Request
from opencpm.access.sip.location import Location
from opencpm.access.sip.reasons import refusal_fields, status_of
from opencpm.access.sip.registrar import Registrar
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, message_ident
from opencpm.domain.report import Report, Status
from opencpm.domain.session import Composing
from opencpm.interfaces import Context, Inbox
from opencpm.protocols import imdn, iscomposing, resource_lists
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_cseq, parse_number
from opencpm.protocols.sip.response import Refusal

log = logging.getLogger("opencpm.access.sip")

ROUTE_HEADER = "x-opencpm-network"
"""A sender's choice of network for one message (a header of ours: the specifications have none)."""

_STATUS = {
    ("delivery", "delivered"): Status.DELIVERED,
    ("delivery", "failed"): Status.FAILED,
    ("delivery", "forbidden"): Status.FAILED,
    ("delivery", "error"): Status.FAILED,
    ("display", "displayed"): Status.DISPLAYED,
}
"""What a device can say of a message. A forbidden display says nothing; processing and interworking are the
network's to say."""

_OPERATOR_TYPES = frozenset({"application/vnd.gsma.rcsspam-report+xml", "application/vnd.oma.cpm-eventfw+xml"})
"""Meant for the server, not for a person: taken and not passed on."""


@dataclass(slots=True)
class _Batch:
    messages: list[Message]
    senders: list[Request]
    reports: list[Report]
    reporters: list[Request]


class PagerIn:
    """Serves MESSAGE outside dialogs. Answers 202 only from the inbox's completion."""

    def __init__(
        self,
        settings: SipSettings,
        context: Context,
        endpoint: Endpoint,
        home: Home,
        location: Location,
        registrar: Registrar,
        authenticator: Authenticator,
    ) -> None:
        self._settings, self._context, self._endpoint, self._home = settings, context, endpoint, home
        self._location, self._registrar, self._authenticator = location, registrar, authenticator
        self.inbox: Inbox | None = None
        self.resolve: Callable[[Message], Message] = lambda message: message
        """Puts the files into messages that name them. Raises SendError."""
        self.aimed: Callable[[str, str], None] = lambda message_id, instance: None
        """Told of a message (our id) to a GRUU, and the instance of the device that is meant."""

    def served(self, requests: Sequence[Request]) -> None:
        """Handler of MESSAGE: a batch in, one call of the inbox out."""
        inbox = self.inbox
        batch = _Batch([], [], [], [])
        for request in requests:
            try:
                if inbox is None:
                    raise Refusal(503, "", ("Retry-After", "5"))
                originator = self._authenticator.originator(request)
                if originator is not None:
                    self._sort(request, originator, inbox, batch)
            except Refusal as refusal:
                self._endpoint.refuse(request, refusal)
            except SipError as error:
                self._endpoint.refuse(request, Refusal(error.status, str(error)))
            except Exception:  # a fault over one message must not take the others of the batch along
                log.exception("a MESSAGE from %s:%d could not be read", *request.flow.peer)
                self._endpoint.answer(request, 500)
        if inbox is not None:
            self._hand_over(inbox, batch)

    def _hand_over(self, inbox: Inbox, batch: _Batch) -> None:
        if batch.messages:
            senders = batch.senders
            inbox.received(batch.messages, lambda verdicts: self._verdicts(senders, verdicts))
        if batch.reports:
            reporters = batch.reporters
            inbox.reported(batch.reports, lambda: self._all_right(reporters))

    def _verdicts(self, senders: Sequence[Request], verdicts: Sequence[SendError | None]) -> None:
        answer = self._endpoint.answer
        for request, error in zip(senders, verdicts, strict=True):
            if error is None:
                answer(request, 202)
            else:
                answer(request, status_of(error), fields=refusal_fields(error, self._home.domain))

    def _all_right(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._endpoint.answer(request, 200)

    # one request

    def _sort(self, request: Request, originator: Originator, inbox: Inbox, batch: _Batch) -> None:
        content = read(request.message, limit=self._settings.max_message)
        kind = content.media_type
        self._learn(request, content)
        if kind == imdn.CONTENT_TYPE:
            reports = self._reports(request, originator, content)
            if reports:
                batch.reports += reports
                batch.reporters.append(request)
            else:
                self._endpoint.answer(request, 200)
        elif kind == "application/im-iscomposing+xml":
            inbox.composing(originator.address, self._target(request), _composing(content))
            self._endpoint.answer(request, 200)
        elif kind in _OPERATOR_TYPES:
            self._endpoint.answer(request, 200)
        else:
            message = self._resolved(request, self.neutral(request, originator, content))
            if message is not None:
                if ";gr" in request.message.uri and not content.lists:
                    self.aimed(message.id, self._registrar.whom(request.message.uri)[1])
                batch.messages.append(message)
                batch.senders.append(request)

    def _resolved(self, request: Request, message: Message) -> Message | None:
        try:
            return self.resolve(message)
        except SendError as error:
            self._verdicts([request], [error])
            return None

    def _learn(self, request: Request, content: Content) -> None:
        """What a device sends, it understands; and it is there."""
        for binding in self._location.on_flow(request.flow):
            self._registrar.heard(binding)
            accept = request.message.tokens("accept")
            wrap = True if content.wrapped else binding.wrap
            bare = binding.imdn or (not content.wrapped and content.media_type == imdn.CONTENT_TYPE)
            if wrap != binding.wrap or bare != binding.imdn or accept - binding.accept:
                binding.wrap, binding.imdn = wrap, bare
                binding.accept |= accept
                self._location.save(binding)

    def _target(self, request: Request) -> Address:
        """Whom the request-URI names: a person, also by one of their devices' GRUUs."""
        return self._registrar.whom(request.message.uri)[0]

    def neutral(self, request: Request, originator: Originator, content: Content) -> Message:
        """The neutral form of a MESSAGE. Raises Refusal."""
        sip, sender = request.message, originator.address
        if not content.parts:
            raise Refusal(400, "Empty message")
        if sip.tokens("privacy") & {"id", "user", "header"}:
            raise Refusal(433)  # we cannot hide the sender on every network, so we do not pretend to
        call_id, now = clean(sip.get("call-id")), self._context.clock.now()
        # Without CPIM the Call-ID stands for the Message-ID (plain clients' notifications name it); as clients may
        # use one Call-ID for several messages, what makes it the same message is the CSeq too.
        ident = content.message_id or f"{call_id}\n{parse_cseq(sip.get('cseq')).number}"
        expires = sip.get("expires")
        return Message(
            id=message_ident(sender, ident),
            message_id=content.message_id or call_id,
            sender=sender,
            recipients=self._recipients(request, content),
            parts=content.parts,
            sent_at=now if content.sent_at is None else content.sent_at,
            received_at=now,
            origin="sip",
            conversation_id=_token(sip.get("conversation-id")),
            contribution_id=_token(sip.get("contribution-id")),
            in_reply_to=_token(sip.get("inreplyto-contribution-id") or sip.get("in-reply-to-contribution-id")),
            wants=content.wants,
            expires_at=now + parse_number(expires, "Expires") if expires else None,
            subject=content.subject or clean(sip.get("subject")),
            route=clean(sip.get(ROUTE_HEADER)),
            headers=content.headers,
        )

    def _recipients(self, request: Request, content: Content) -> tuple[Address, ...]:
        if not content.lists:
            if "recipient-list-message" in request.message.tokens("require"):
                raise Refusal(400, "Missing recipient list")
            return (self._target(request),)
        found: dict[Address, None] = {}
        for body in content.lists:
            try:
                entries = resource_lists.parse(body, max_entries=self._settings.max_recipients * 2).entries
            except resource_lists.ResourceListsError as error:
                raise Refusal(413 if "over" in str(error) else 400, f"Bad recipient list: {error}") from None
            for entry in entries:
                found[self._home.address(entry.uri.partition("?")[0])] = None
        if not found:
            raise Refusal(400, "Empty recipient list")
        if len(found) > self._settings.max_recipients:
            raise Refusal(413, "Too many recipients")
        return tuple(found)

    def _reports(self, request: Request, originator: Originator, content: Content) -> list[Report]:
        """Dispositions as reports about messages that the target sent (RFC 5438 §9)."""
        target, now = self._target(request), self._context.clock.now()
        reports = []
        for part in content.parts:
            if part.media_type != imdn.CONTENT_TYPE:
                continue
            try:
                found = imdn.parse(part.body)
            except imdn.ImdnError as error:
                raise Refusal(400, f"Bad IMDN: {error}") from None
            status = _STATUS.get((found.kind, found.status))
            if status is not None and self._own(found.message_id, originator):
                reports.append(self._report(found, status, originator.address, target, now))
        return reports

    def _own(self, message_id: str, originator: Originator) -> bool:
        """Whether a notification that names one of our ids comes from the user it was given to."""
        delivery_id, mark = delivery_of(message_id)
        return not delivery_id or any(mark.startswith(mark_of(a)) for a in originator.subscriber.addresses)

    def _report(self, found: imdn.Imdn, status: Status, reporter: Address, sender: Address, now: float) -> Report:
        failed = status is Status.FAILED
        error = SendError(Reason.REJECTED, detail="The receiver's device reported a failure.") if failed else None
        detail = f"{found.kind} {found.status}"
        delivery_id, _ = delivery_of(found.message_id)
        if delivery_id:
            return Report(
                status=status,
                network="sip",
                source="device",
                at=now,
                delivery_id=delivery_id,
                error=error,
                detail=detail,
            )
        return Report(
            status=status,
            network="sip",
            source="device",
            at=now,
            message_id=found.message_id,
            reporter=reporter,
            original_sender=sender,
            error=error,
            detail=detail,
        )


CALL_ID_MARK = "dlv-"


@lru_cache(maxsize=8192)
def mark_of(target: Address) -> str:
    """Eight hex digits that stand for the receiver in the ids we give a delivery."""
    return blake2b(str(target).encode(), digest_size=4).hexdigest()


def delivery_of(message_id: str) -> tuple[str, str]:
    """The delivery that a notification is about, and the mark of whom it went to, where the sender had given no
    Message-ID: it names the Call-ID of our MESSAGE, or the Message-ID we made. Empty for anything else."""
    if not message_id.startswith(CALL_ID_MARK):
        return "", ""
    delivery_id, _, mark = message_id[len(CALL_ID_MARK) :].partition("@")[0].rpartition("-")
    return delivery_id, mark


def _composing(content: Content) -> Composing:
    try:
        found = iscomposing.parse(content.parts[0].body)
    except iscomposing.IsComposingError as error:
        raise Refusal(400, f"Bad isComposing: {error}") from None
    return Composing(found.active, float(found.refresh), found.content_type)


def _token(value: str) -> str:
    """An opaque id, bounded."""
    if len(value) > 256:
        raise Refusal(400, "Conversation or contribution id too long")
    return clean(value)
