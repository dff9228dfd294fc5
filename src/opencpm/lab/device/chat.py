"""A session as the device has it: a SIP dialog and an MSRP session in which the device is the active side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.lab.device.agent import token
from opencpm.lab.device.texts import Heard, described, notification, taken_apart, wrap
from opencpm.protocols import cpim, imdn, iscomposing, sdp
from opencpm.protocols.msrp import session as msrp
from opencpm.protocols.msrp.connection import Connection, Happened
from opencpm.protocols.msrp.uri import MsrpUri, parse_path
from opencpm.protocols.sip.dialog import Dialog
from opencpm.protocols.sip.headers import parse_name_addr
from opencpm.transport.link import Link, dial

if TYPE_CHECKING:
    from opencpm.lab.device.device import LabDevice

ACCEPT = ("message/cpim",)
COMPLETED = 'SIP;cause=200;text="Call completed"'
MEDIA = ("multipart/mixed", "image/*", "audio/*", "video/*")
WRAPPED = ("text/plain", *MEDIA, "message/imdn+xml", "application/im-iscomposing+xml")


def terms(path: MsrpUri) -> sdp.MsrpMedia:
    """What the device offers or answers: it connects (RFC 4975 §5.4)."""
    return sdp.MsrpMedia(
        path=str(path), host=path.host, port=9, setup="active", accept_types=ACCEPT, wrapped_types=WRAPPED
    )


class DeviceChat:
    """One session. Texts that come are in the device's journal (kind ``message``) and in ``heard``."""

    def __init__(self, device: LabDevice, peer: str, local: MsrpUri) -> None:
        self.peer, self.local = peer, local
        self.heard: list[Heard] = []
        self.typing = False
        self.is_group = False
        self.contribution_id = ""
        self.conversation_id = ""
        self.dialog: Dialog | None = None
        self.closed = asyncio.Event()
        self.close_reason = ""
        self._device = device
        self._session: msrp.Session | None = None
        self._connection: Connection | None = None
        self._link: Link[Happened] | None = None
        self._sent: dict[str, asyncio.Future[int]] = {}

    # -- media -----------------------------------------------------------------------------------------------

    async def connect(self, answer: bytes) -> None:
        """Take up MSRP with what the peer's SDP says. :raises OSError: :raises ValueError: no usable terms."""
        _, peer = sdp.msrp_media(sdp.parse(answer))
        first = parse_path(peer.path)[0]
        self._session = msrp.Session(str(self.local), peer.path, token)
        self._connection = Connection(lambda session_id: None, lambda session, connection: False)
        self._connection.bind(self._session)
        self._session.open()
        self._link = await dial(
            _Noted(self._connection, self._device.journal.wire),
            first.host,
            first.port,
            on_events=self._happened,
            on_lost=lambda link, error: None,
        )

    def _happened(self, link: Link[Happened], events: Sequence[Happened]) -> None:
        for _, event in events:
            if isinstance(event, msrp.Received):
                self._received(event)
            elif isinstance(event, msrp.Sent):
                self._settle(event.message_id, 200)
            elif isinstance(event, msrp.Failed):
                self._settle(event.message_id, event.status)

    def _settle(self, message_id: str, status: int) -> None:
        waiting = self._sent.pop(message_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(status)

    def _received(self, event: msrp.Received) -> None:
        assert self._session is not None
        try:
            body = cpim.parse(event.body)
        except ValueError:
            self._session.reject(event.receipt, 400)
            return
        self._session.accept(event.receipt)
        if body.media_type == iscomposing.CONTENT_TYPE:
            self.typing = iscomposing.parse(body.content).active
            self._device.journal.note("composing", "active" if self.typing else "idle", peer=self.peer)
        elif body.media_type == imdn.CONTENT_TYPE:
            self._device.noted_imdn(body)
        else:
            self._text(body)

    def _text(self, body: cpim.Cpim) -> None:
        text, media = taken_apart(body)
        author = self._author(body)
        heard = Heard(body.message_id, author, text, body.datetime, self.conversation_id, self.local.session, media)
        self.heard.append(heard)
        facts = {"media": described(media), "conversation": self.conversation_id} if media else {}
        self._device.journal.note("message", text, sender=author, message_id=heard.message_id, session="yes", **facts)
        if "positive-delivery" in body.dispositions:
            self._put(notification(body, "delivery", "delivered", token()), token())

    def _author(self, body: cpim.Cpim) -> str:
        """In a group the envelope names who says it; between two people it hides them."""
        return parse_name_addr(body.sender).uri if self.is_group and body.sender else self.peer

    # -- what its user does ----------------------------------------------------------------------------------

    async def send(self, text: str, wants: tuple[str, ...] = ("positive-delivery",)) -> tuple[str, int]:
        """Say something; returns its Message-ID and the MSRP status the server answered."""
        message_id, waiting = token(), asyncio.get_running_loop().create_future()
        self._sent[message_id] = waiting
        self._put(wrap(text, message_id, wants), message_id)
        async with asyncio.timeout(35):
            return message_id, await waiting

    def compose(self, active: bool = True) -> None:
        """Tell the other side that one is typing (RFC 3994)."""
        state = iscomposing.build(iscomposing.IsComposing(active))
        self._put(wrap(state.decode(), token(), (), iscomposing.CONTENT_TYPE), token())

    def _put(self, body: bytes, message_id: str) -> None:
        assert self._session is not None
        self._session.send(message_id, cpim.CONTENT_TYPE, body, asyncio.get_running_loop().time())
        if self._link is not None:
            self._link.wake()

    async def close(self, why: str = COMPLETED) -> int:
        """BYE; returns the status it was answered with."""
        assert self.dialog is not None
        uri, fields = self.dialog.next_request("BYE")
        _, response = await self._device.agent.request("BYE", uri, [*fields, ("Reason", why)])
        self.end(f"BYE {response.status}")
        return response.status

    def end(self, reason: str) -> None:
        """It is over, whoever ended it."""
        if self.closed.is_set():
            return
        self.close_reason = reason
        self.closed.set()
        if self._connection is not None and self._session is not None:
            self._connection.release(self._session)
        if self._link is not None:
            self._link.wake()
        self._device.chats.pop(self.dialog.call_id if self.dialog else "", None)
        self._device.journal.note("closed", reason, peer=self.peer)


class _Noted:
    """The connection, with every octet noted on its way."""

    def __init__(self, inner: Connection, note: Callable[[str, bytes], None]) -> None:
        self._inner, self._note = inner, note
        self.poll, self.next_timeout, self.closing = inner.poll, inner.next_timeout, inner.closing

    def receive(self, data: bytes, now: float) -> Sequence[Happened]:
        self._note("msrp.in", data)
        return self._inner.receive(data, now)

    def take(self) -> bytes:
        data = self._inner.take()
        if data:
            self._note("msrp.out", data)
        return data
