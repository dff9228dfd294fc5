"""A CPM device: registers, sends and takes messages, answers dispositions by itself, has sessions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from opencpm.lab.device.agent import Account, Agent, token
from opencpm.lab.device.chat import DeviceChat, terms
from opencpm.lab.device.files import DeviceFiles, OneWay
from opencpm.lab.device.groups import description_of
from opencpm.lab.device.journal import Journal
from opencpm.lab.device.presence import Follower
from opencpm.lab.device.texts import Heard, described, notification, now_text, taken_apart, wrap
from opencpm.protocols import cpim, imdn, iscomposing, sdp
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sip.dialog import uac_dialog, uas_dialog
from opencpm.protocols.sip.features import IARI_TAG, ICSI_TAG, accept_contact, feature_parameter, icsi
from opencpm.protocols.sip.headers import parse_cseq, parse_name_addr
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction

SERVICES = ("session", "session.group", "msg", "largemsg", "systemmsg")
IARI = "urn:urn-7:3gpp-application.ims.iari."
ALLOW = "INVITE, ACK, BYE, CANCEL, MESSAGE, NOTIFY, OPTIONS, UPDATE"
ASKED = ("positive-delivery", "negative-delivery", "display")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out: its ids, and how the server answered."""

    message_id: str
    conversation_id: str
    status: int
    reason: str


class Refused(Exception):
    """The server (or the far side) said no to a session."""

    def __init__(self, response: Message) -> None:
        super().__init__(f"{response.status} {response.reason}")
        self.status, self.reason = response.status, response.reason


class LabDevice:
    """One device of one user. Its ``journal`` is the evidence; ``inbox`` and ``imdns`` are what it understood."""

    def __init__(
        self,
        identity: str,
        password: str,
        server: tuple[str, int],
        *,
        transport: str = "TCP",
        username: str = "",
        auto_delivered: bool = True,
        auto_answer: bool = True,
        services: tuple[str, ...] = SERVICES,
        iari: tuple[str, ...] = (),
        upload_url: str = "",
    ) -> None:
        """``services`` and ``iari``: what it lists when it registers ("largemsg", "filetransfer"; "rcs.fthttp")."""
        user, _, self.domain = identity.removeprefix("sip:").partition("@")
        self.identity = identity
        self.journal = Journal()
        self.inbox: list[Heard] = []
        self.imdns: list[imdn.Imdn] = []
        self.chats: dict[str, DeviceChat] = {}
        self.following: dict[str, Follower] = {}  # by the subscription's Call-ID
        self.auto_delivered, self.auto_answer = auto_delivered, auto_answer
        self.services, self.iari, self.wants = services, iari, ASKED
        self.files = DeviceFiles(self, upload_url=upload_url)
        self.agent = Agent(Account(identity, username or user, password), self.journal, self._requested)
        self.instance = f"urn:uuid:{uuid.uuid4()}"
        self.associated: list[str] = []
        self._server, self._transport = server, transport
        self._registration = (token(), token())  # Call-ID and From tag of all REGISTERs
        self._cseq = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._originals: dict[str, tuple[cpim.Cpim, str]] = {}
        self._seen: set[str] = set()
        self._service_route: list[str] = []

    async def __aenter__(self) -> Self:
        await self.agent.connect(self._transport, *self._server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        self.agent.close()

    # -- what its user does ----------------------------------------------------------------------------------

    async def register(self, expires: int = 600) -> int:
        """Register (or, with 0, leave); returns the final status."""
        call_id, tag = self._registration
        self._cseq += 2  # one may be used by the answer to a challenge
        tags = [f'+sip.instance="<{self.instance}>"', "reg-id=1"]
        if self.services:
            tags.append(feature_parameter(ICSI_TAG, [icsi(service) for service in self.services]))
        if self.iari:
            tags.append(feature_parameter(IARI_TAG, [f"{IARI}{name}" for name in self.iari]))
        contact = f"<{self.agent.contact}>;{';'.join(tags)};expires={expires}"
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<{self.identity}>;tag={tag}"),
            ("To", f"<{self.identity}>"),
            ("Call-ID", call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", contact),
            ("Allow", ALLOW),
            ("Supported", "path, gruu, outbound"),
        ]
        _, response = await self.agent.request("REGISTER", f"sip:{self.domain}", fields)
        self.associated = [parse_name_addr(value).uri for value in response.values("p-associated-uri")]
        self._service_route = response.values("service-route")
        self.journal.note("registered", str(response.status), expires=str(expires))
        return response.status

    async def message(self, target: str, text: str, wants: tuple[str, ...] = ASKED, **ids: str) -> Sent:
        """Send a standalone message in pager mode."""
        message_id = ids.get("message_id") or token()
        conversation = ids.get("conversation_id") or str(uuid.uuid4())
        return await self._pager(target, wrap(text, message_id, wants), message_id, conversation)

    async def content(self, target: str, content_type: str, body: bytes, **ids: str) -> Sent:
        """Send anything in pager mode."""
        message_id = ids.get("message_id") or token()
        conversation = ids.get("conversation_id") or str(uuid.uuid4())
        wrapped = cpim.compose(body, content_type, message_id=message_id, datetime=now_text(), dispositions=self.wants)
        return await self._pager(target, wrapped, message_id, conversation)

    async def displayed(self, heard: Heard) -> int:
        """Say that a message was read; returns the status."""
        original, sender = self._originals[heard.message_id]
        body = notification(original, "display", "displayed", token())
        return (await self._pager(sender, body, token(), heard.conversation_id)).status

    async def invite(self, target: str, ringing: Callable[[int], None] = lambda status: None) -> DeviceChat:
        """Ask for a session; returns when it stands. :raises Refused:"""
        chat = DeviceChat(self, target, MsrpUri(self.host, 9, token()))
        await self.dial(chat, target, "session", terms(chat.local), str(uuid.uuid4()), ringing)
        return chat

    @property
    def host(self) -> str:
        """Our own address on the way to the server."""
        assert self.agent.flow is not None, "connect first"
        return self.agent.flow.local[0]

    async def dial(
        self,
        chat: DeviceChat,
        target: str,
        service: str,
        ours: sdp.MsrpMedia,
        conversation: str,
        ringing: Callable[[int], None] = lambda status: None,
    ) -> None:
        """Invite for a CPM service; returns when the leg stands. :raises Refused:"""
        fields = [
            *self.out_of_dialog("INVITE", target, service),
            ("Contact", f'<{self.agent.contact}>;+sip.instance="<{self.instance}>"'),
            ("Allow", ALLOW),
            ("Conversation-ID", conversation),
            ("Contribution-ID", str(uuid.uuid4())),
            ("Content-Type", sdp.CONTENT_TYPE),
        ]
        body = sdp.build(replace(ours, path=str(chat.local), host=chat.local.host), session_id=1, version=1)
        request, response = await self.agent.request(
            "INVITE", target, fields, body, lambda provisional: ringing(provisional.status)
        )
        if response.status >= 300:
            self.journal.note("refused", f"{response.status} {response.reason}", peer=target)
            raise Refused(response)
        chat.dialog = uac_dialog(request, response)
        self.chats[chat.dialog.call_id] = chat
        uri, acknowledgement = chat.dialog.ack(parse_cseq(request.get("cseq")).number)
        self.agent.send("ACK", uri, acknowledgement)
        await chat.connect(response.body)
        self.journal.note("established", f"{response.status} {response.reason}", peer=target)

    # -- building --------------------------------------------------------------------------------------------

    def out_of_dialog(self, method: str, target: str, service: str) -> list[tuple[str, str]]:
        return [
            ("Max-Forwards", "70"),
            *[("Route", route) for route in self._service_route],
            ("From", f"<{self.identity}>;tag={token()}"),
            ("To", f"<{target}>"),
            ("Call-ID", token()),
            ("CSeq", f"1 {method}"),
            ("P-Preferred-Identity", f"<{self.identity}>"),
            ("P-Preferred-Service", icsi(service)),
            ("Accept-Contact", accept_contact(service)),
        ]

    async def _pager(self, target: str, body: bytes, message_id: str, conversation: str) -> Sent:
        fields = [
            *self.out_of_dialog("MESSAGE", target, "msg"),
            ("Conversation-ID", conversation),
            ("Contribution-ID", str(uuid.uuid4())),
            ("Content-Type", cpim.CONTENT_TYPE),
        ]
        _, response = await self.agent.request("MESSAGE", target, fields, body)
        return Sent(message_id, conversation, response.status, response.reason)

    # -- what comes ------------------------------------------------------------------------------------------

    def _requested(self, transaction: ServerTransaction | None, request: Message) -> None:
        if transaction is None or request.method == "ACK":
            return
        chat = self.chats.get(request.get("call-id"))
        if request.method == "MESSAGE":
            self._message(transaction, request)
        elif request.method == "INVITE" and chat is None:
            self._invited(transaction, request)
        elif request.method == "BYE" and chat is not None:
            self.agent.respond(transaction, request, 200)
            chat.end(f"BYE received; {request.get('reason') or 'no reason'}")
        elif request.method == "NOTIFY" and request.get("call-id") in self.following:
            self.following[request.get("call-id")].notified(transaction, request)
        elif request.method in ("OPTIONS", "UPDATE"):
            self.agent.respond(transaction, request, 200, [("Allow", ALLOW)])
        else:
            self.agent.respond(transaction, request, 481 if chat is None else 405)

    def _message(self, transaction: ServerTransaction, request: Message) -> None:
        if not self.services and request.get("content-type").startswith("text/plain"):
            self._bare(transaction, request)
            return
        try:
            body = cpim.parse(request.body)
        except ValueError:
            self.agent.respond(transaction, request, 415, [("Accept", cpim.CONTENT_TYPE)])
            return
        self.agent.respond(transaction, request, 200)
        sender = _identity(request)
        if body.media_type == imdn.CONTENT_TYPE:
            self.noted_imdn(body)
        elif body.media_type == iscomposing.CONTENT_TYPE:
            self.journal.note("composing", "page mode", peer=sender)
        elif body.message_id not in self._seen:
            self._seen.add(body.message_id)
            self.heard(body, sender, request.get("conversation-id"), "pager")

    def _bare(self, transaction: ServerTransaction, request: Message) -> None:
        """A text without CPIM, as a plain SIP client gets it."""
        self.agent.respond(transaction, request, 200)
        sender, text = _identity(request), request.body.decode("utf-8", "replace")
        self.inbox.append(Heard(request.get("call-id"), sender, text, request.get("date"), ""))
        self.journal.note("message", text, sender=sender, message_id=request.get("call-id"))

    def heard(self, body: cpim.Cpim, sender: str, conversation: str, form: str) -> None:
        """A message came, whatever it holds."""
        text, media = taken_apart(body)
        self.files.take(media, sender, form, body.message_id)
        self.inbox.append(Heard(body.message_id, sender, text, body.datetime, conversation, media=media))
        self._originals[body.message_id] = (body, sender)
        facts = {"media": described(media)} if media else {}
        self.journal.note(
            "message", text, sender=sender, message_id=body.message_id, conversation=conversation, form=form, **facts
        )
        if self.auto_delivered and "positive-delivery" in body.dispositions:
            done = notification(body, "delivery", "delivered", token())
            self.spawn(self._send_off(sender, done, conversation))

    async def _send_off(self, target: str, body: bytes, conversation: str) -> None:
        await self._pager(target, body, token(), conversation)

    def noted_imdn(self, body: cpim.Cpim) -> None:
        """A disposition notification came, in or outside a session."""
        for found in imdn.parse_body(body.content_type, body.content):
            self.imdns.append(found)
            self.journal.note("imdn", found.status, message_id=found.message_id, about=found.kind)

    def _invited(self, transaction: ServerTransaction, request: Message) -> None:
        peer = _identity(request)
        self.journal.note("invited", peer)
        if not self.auto_answer:
            self.agent.respond(transaction, request, 486)
            return
        one_way = any(f"cpm.{name}" in request.get("p-asserted-service") for name in ("largemsg", "filetransfer"))
        self.spawn(self._accept(transaction, request, peer, one_way=one_way))

    async def _accept(self, transaction: ServerTransaction, request: Message, peer: str, *, one_way: bool) -> None:
        tag = token()
        self.agent.respond(transaction, request, 180, to_tag=tag)
        local = MsrpUri(self.host, 9, token())
        if one_way:
            chat: DeviceChat = OneWay(self, peer, local)
            assert isinstance(chat, OneWay)
            offered, ours = self.files.terms_for(request, chat)
        else:
            chat = DeviceChat(self, peer, local)
            offered, ours = sdp.parse(description_of(request)), terms(local)
        chat.conversation_id = request.get("conversation-id")
        chat.contribution_id = request.get("contribution-id")
        chat.is_group = "isfocus" in request.get("contact")
        chat.dialog = uas_dialog(request, tag)
        self.chats[chat.dialog.call_id] = chat
        body = sdp.answer(offered, ours, session_id=1, version=1)
        fields = [("Contact", f"<{self.agent.contact}>"), ("Content-Type", sdp.CONTENT_TYPE)]
        self.agent.respond(transaction, request, 200, fields, body, tag)
        _, theirs = sdp.msrp_media(offered)
        await chat.connect(sdp.build(theirs, session_id=1, version=1))
        self.journal.note("established", "200 OK", peer=peer)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something meanwhile; it ends with the device."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _identity(request: Message) -> str:
    """Who sends, as the network asserts it (RFC 3325), else as From says."""
    asserted = request.values("p-asserted-identity") or [request.get("from")]
    return parse_name_addr(asserted[0]).uri
