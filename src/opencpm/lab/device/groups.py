"""What a device does in groups: call one together, come back, add, remove, follow who is in it (RFC 4579, RFC 4575)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencpm.lab.device.agent import token
from opencpm.lab.device.chat import DeviceChat, terms
from opencpm.protocols import conference_info, mime, resource_lists, sdp
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sip.dialog import Dialog, uac_dialog
from opencpm.protocols.sip.headers import parse_cseq, parse_name_addr
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from opencpm.lab.device.device import LabDevice

FACTORY = "conference-factory"
SERVICE = "session.group"


class DeviceGroup:
    """One group as the device has it. ``info`` is what the last NOTIFY said."""

    def __init__(self, device: LabDevice, chat: DeviceChat, focus: str, contribution_id: str) -> None:
        self.chat, self.focus, self.contribution_id = chat, focus, contribution_id
        self.info: conference_info.ConferenceInfo | None = None
        self.ended = ""
        self._device = device
        self._subscription: Dialog | None = None

    def status(self, entity: str) -> str:
        """What the last NOTIFY said of somebody: "connected", "disconnected departed", or empty."""
        users = self.info.users if self.info is not None else ()
        found = next((user for user in users if user.entity == entity), None)
        return f"{found.status} {found.method}".strip() if found is not None else ""

    async def follow(self, expires: int = 600) -> int:
        """SUBSCRIBE; returns the status."""
        fields = [
            *self._device.out_of_dialog("SUBSCRIBE", self.focus, SERVICE),
            ("Contact", f"<{self._device.agent.contact}>"),
            ("Event", "conference"),
            ("Accept", conference_info.CONTENT_TYPE),
            ("Expires", str(expires)),
        ]
        call_id = next(value for name, value in fields if name == "Call-ID")
        self._device.following[call_id] = self  # a NOTIFY may overtake the answer (RFC 6665 §4.1.2.4)
        request, response = await self._device.agent.request("SUBSCRIBE", self.focus, fields)
        if response.status < 300:
            self._subscription = uac_dialog(request, response)
        return response.status

    async def unfollow(self) -> int:
        assert self._subscription is not None
        uri, fields = self._subscription.next_request("SUBSCRIBE")
        more = [("Contact", f"<{self._device.agent.contact}>"), ("Event", "conference"), ("Expires", "0")]
        _, response = await self._device.agent.request("SUBSCRIBE", uri, [*fields, *more])
        return response.status

    def notified(self, transaction: ServerTransaction, request: Message) -> None:
        self._device.agent.respond(transaction, request, 200)
        self.info = conference_info.parse(request.body)
        state = request.get("subscription-state")
        if state.startswith("terminated"):
            self.ended = state
        facts = {user.entity: f"{user.status} {user.method}".strip() for user in self.info.users}
        self._device.journal.note("conference", state, focus=self.focus, version=str(self.info.version), **facts)

    async def add(self, *whom: str, inside: bool = False) -> int:
        """REFER; several at once by a list. ``inside``: in the session's dialog."""
        if len(whom) == 1:
            return await self._refer(f"<{whom[0]}>", [], b"", inside)
        name = f"{token()}@lab"
        extra = [
            ("Require", "multiple-refer"),
            ("Require", "norefersub"),
            ("Content-ID", f"<{name}>"),
            ("Content-Disposition", "recipient-list"),
            ("Content-Type", resource_lists.CONTENT_TYPE),
        ]
        return await self._refer(f"<cid:{name}>", extra, recipient_list(whom), inside)

    async def remove(self, whom: str, inside: bool = False) -> int:
        return await self._refer(f"<{whom};method=BYE>", [], b"", inside)

    async def _refer(self, refer_to: str, extra: Sequence[tuple[str, str]], body: bytes, inside: bool) -> int:
        if inside:
            assert self.chat.dialog is not None
            uri, fields = self.chat.dialog.next_request("REFER")
        else:
            uri, fields = self.focus, self._device.out_of_dialog("REFER", self.focus, SERVICE)
        more = [("Contact", f"<{self._device.agent.contact}>"), ("Refer-To", refer_to), ("Refer-Sub", "false"), *extra]
        _, response = await self._device.agent.request("REFER", uri, [*fields, *more], body)
        return response.status

    async def leave(self) -> int:
        """BYE: for good."""
        return await self.chat.close()

    async def drop(self) -> int:
        """BYE as the network sends it for a device that is out of reach: its user stays a member."""
        return await self.chat.close('SIP;cause=480;text="Bearer unavailable"')


def recipient_list(whom: Sequence[str]) -> bytes:
    return resource_lists.build([resource_lists.Entry(uri) for uri in whom])


async def convene(device: LabDevice, whom: Sequence[str], subject: str = "", contribution_id: str = "") -> DeviceGroup:
    """INVITE the conference factory with a recipient list (RFC 5366). :raises Refused:"""
    boundary = token()
    head = (("Content-Type", resource_lists.CONTENT_TYPE), ("Content-Disposition", "recipient-list"))
    listed = mime.Part(head, recipient_list(whom))
    extra = [("Require", "recipient-list-invite")]
    target = f"sip:{FACTORY}@{device.domain}"
    return await _invite(device, target, subject, contribution_id or str(uuid.uuid4()), extra, listed, boundary)


async def rejoin(device: LabDevice, focus: str, contribution_id: str) -> DeviceGroup:
    """INVITE the group itself. :raises Refused:"""
    return await _invite(device, focus, "", contribution_id, [], None, "")


async def _invite(
    device: LabDevice,
    target: str,
    subject: str,
    contribution_id: str,
    extra: Sequence[tuple[str, str]],
    listed: mime.Part | None,
    boundary: str,
) -> DeviceGroup:
    from opencpm.lab.device.device import ALLOW, Refused

    assert device.agent.flow is not None
    chat = DeviceChat(device, target, MsrpUri(device.agent.flow.local[0], 9, token()))
    body = sdp.build(terms(chat.local), session_id=1, version=1)
    kind = sdp.CONTENT_TYPE
    if listed is not None:
        body = mime.build_multipart([mime.Part((("Content-Type", sdp.CONTENT_TYPE),), body), listed], boundary)
        kind = f'multipart/mixed;boundary="{boundary}"'
    fields = [
        *device.out_of_dialog("INVITE", target, SERVICE),
        ("Contact", f'<{device.agent.contact}>;+sip.instance="<{device.instance}>"'),
        ("Allow", ALLOW),
        ("Conversation-ID", str(uuid.uuid4())),
        ("Contribution-ID", contribution_id),
        *([("Subject", subject)] if subject else []),
        *extra,
        ("Content-Type", kind),
    ]
    request, response = await device.agent.request("INVITE", target, fields, body)
    if response.status >= 300:
        device.journal.note("refused", f"{response.status} {response.reason}", peer=target)
        raise Refused(response)
    contact = response.values("contact")[0]
    focus = parse_name_addr(contact).uri.partition(";")[0]
    chat.peer, chat.is_group = focus, "isfocus" in contact
    chat.dialog = uac_dialog(request, response)
    device.chats[chat.dialog.call_id] = chat
    uri, acknowledgement = chat.dialog.ack(parse_cseq(request.get("cseq")).number)
    device.agent.send("ACK", uri, acknowledgement)
    await chat.connect(response.body)
    device.journal.note("established", f"{response.status} {response.reason}", peer=focus)
    return DeviceGroup(device, chat, focus, response.get("contribution-id"))


def group_of(device: LabDevice, chat: DeviceChat) -> DeviceGroup:
    """The group into which the device was invited."""
    return DeviceGroup(device, chat, chat.peer, chat.contribution_id)


def description_of(request: Message) -> bytes:
    """The SDP of an invitation, with or without a list beside it."""
    content_type = request.get("content-type")
    if not mime.media_type(content_type).startswith("multipart/"):
        return request.body
    parts = mime.split_multipart(content_type, request.body)
    return next(part.decoded() for part in parts if mime.media_type(part.content_type) == sdp.CONTENT_TYPE)
