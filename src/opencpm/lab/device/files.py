"""Content as a device sends and gets it: in a MESSAGE, in large message mode, by MSRP and by HTTP file transfer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from opencpm.lab.device.agent import token
from opencpm.lab.device.chat import DeviceChat
from opencpm.lab.device.texts import now_text
from opencpm.protocols import cpim, fthttp, mime, sdp, sdp_file
from opencpm.protocols.mime import Part
from opencpm.protocols.msrp import session as msrp
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sip.message import Message

if TYPE_CHECKING:
    from opencpm.lab.device.device import LabDevice, Sent

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class File:
    """Something that is no text."""

    content_type: str
    body: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Got:
    """A file that came. ``form``: pager, large, msrp or http; ``thumbnail``: what came with it."""

    file: File
    sender: str
    form: str
    message_id: str = ""
    thumbnail: bytes = b""


class DeviceFiles:
    """The files of one device. ``upload_url``: the content server it was given (``http://127.0.0.1:8080/ft``)."""

    def __init__(self, device: LabDevice, *, upload_url: str = "", auto_fetch: bool = True) -> None:
        self._device = device
        self.upload_url, self.auto_fetch = upload_url, auto_fetch
        self.got: list[Got] = []
        self.offered: list[fthttp.Transfer] = []

    # -- sending

    async def send(self, target: str, *parts: File | str, form: str = "http", **ids: str) -> Sent:
        """Send content in one of the four forms. By MSRP and HTTP it is one file."""
        if form == "msrp":
            return await self._by_msrp(target, _only(parts), **ids)
        if form == "http":
            transfer = await self.upload(_only(parts))
            return await self.send_document(target, fthttp.build(transfer), **ids)
        content_type, body = _joined(parts)
        if form == "large":
            return await self._large(target, content_type, body, **ids)
        return await self._device.content(target, content_type, body, **ids)

    async def send_document(self, target: str, document: bytes, **ids: str) -> Sent:
        """The document that stands for a file."""
        return await self._device.content(target, fthttp.CONTENT_TYPE, document, **ids)

    async def _large(self, target: str, content_type: str, body: bytes, **ids: str) -> Sent:
        device = self._device
        message_id = ids.get("message_id") or token()
        wrapped = cpim.compose(
            body, content_type, message_id=message_id, datetime=now_text(), dispositions=device.wants
        )
        terms = _sendonly((cpim.CONTENT_TYPE,))
        return await self._over_msrp(target, "largemsg", terms, message_id, cpim.CONTENT_TYPE, wrapped)

    async def _by_msrp(self, target: str, file: File, **ids: str) -> Sent:
        transfer_id = ids.get("message_id") or str(uuid.uuid4())
        selector = sdp_file.selector_of(file.name, file.content_type, file.body)
        terms = _sendonly((file.content_type,), tuple(sdp_file.attributes(selector, transfer_id)))
        return await self._over_msrp(target, "filetransfer", terms, transfer_id, file.content_type, file.body)

    async def _over_msrp(
        self, target: str, service: str, terms: sdp.MsrpMedia, message_id: str, content_type: str, body: bytes
    ) -> Sent:
        """Invite, send the one thing, close; the status is the SIP one, or the one that MSRP ended with."""
        from opencpm.lab.device.device import Refused, Sent

        conversation = str(uuid.uuid4())
        leg = OneWay(self._device, target, MsrpUri(self._device.host, 9, token()))
        try:
            await self._device.dial(leg, target, service, terms, conversation)
        except Refused as refused:
            return Sent(message_id, conversation, refused.status, refused.reason)
        status = await leg.put(content_type, body)
        await leg.close()
        return Sent(message_id, conversation, 202 if status == 200 else status, "")

    # -- HTTP

    def client(self) -> httpx.AsyncClient:
        """A client with the device's own password."""
        account = self._device.agent.account
        auth = httpx.DigestAuth(account.username, account.password)
        return httpx.AsyncClient(auth=auth, timeout=PATIENCE, trust_env=False)

    async def upload(self, file: File, *, thumbnail: bytes = b"", tid: str = "") -> fthttp.Transfer:
        """Bring a file to the content server (RCC.07). :raises httpx.HTTPStatusError: it was refused."""
        fields: dict[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]] = {
            "tid": (None, (tid or str(uuid.uuid4())).encode())
        }
        if thumbnail:
            fields["Thumbnail"] = ("thumbnail.jpg", thumbnail, "image/jpeg")
        fields["File"] = (file.name or "file", file.body, file.content_type)
        async with self.client() as client:
            (await client.post(self.upload_url)).raise_for_status()  # empty first: the challenge
            answer = await client.post(self.upload_url, files=fields)
            answer.raise_for_status()
        return fthttp.parse(answer.content)

    async def fetch(self, url: str, *, start: int = 0) -> httpx.Response:
        """Get a file, or the rest of it."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        async with self.client() as client:
            return await client.get(url, headers=headers)

    async def _fetched(self, transfer: fthttp.Transfer, sender: str, message_id: str) -> None:
        answer = await self.fetch(transfer.file.url)
        small = await self.fetch(transfer.thumbnail.url) if transfer.thumbnail is not None else None
        if answer.status_code != 200:
            self._device.journal.note("refused", f"{answer.status_code} for {transfer.file.url}", peer=sender)
            return
        file = File(transfer.file.content_type, answer.content, transfer.file.name)
        self.arrived(Got(file, sender, "http", message_id, small.content if small is not None else b""))

    # -- what comes

    def take(self, media: Sequence[Part], sender: str, form: str, message_id: str) -> None:
        """The parts of a message that are no text. Documents that stand for files are fetched."""
        for part in media:
            kind = mime.media_type(part.content_type)
            if kind == fthttp.CONTENT_TYPE:
                transfer = fthttp.parse(part.decoded())
                self.offered.append(transfer)
                if self.auto_fetch:
                    self._device.spawn(self._fetched(transfer, sender, message_id))
            else:
                name = mime.parse_content_type(part.get("Content-Disposition") or "")[1].get("filename", "")
                self.arrived(Got(File(kind, part.decoded(), name), sender, form, message_id))

    def arrived(self, got: Got) -> None:
        """Keep it, and say so."""
        self.got.append(got)
        facts = {"form": got.form, "type": got.file.content_type, "size": str(len(got.file.body))}
        self._device.journal.note("file", got.file.name, sender=got.sender, message_id=got.message_id, **facts)

    def terms_for(self, request: Message, leg: OneWay) -> tuple[sdp.SessionDescription, sdp.MsrpMedia]:
        """Our answer to an invitation that brings one thing."""
        description, icon = _described(request)
        _, offered = sdp.msrp_media(description)
        leg.expect(offered, icon)
        terms = sdp.MsrpMedia(
            path=str(leg.local),
            host=leg.local.host,
            setup="active",
            accept_types=offered.accept_types,
            direction="recvonly",
        )
        return description, terms


class OneWay(DeviceChat):
    """A leg that carries one thing: a large message or a file."""

    def expect(self, offered: sdp.MsrpMedia, icon: bytes) -> None:
        """What the invitation announces."""
        told = dict(offered.file)
        self._selector = sdp_file.parse_selector(told["file-selector"]) if "file-selector" in told else None
        self._icon, self._transfer_id = icon, told.get("file-transfer-id", "")

    async def put(self, content_type: str, body: bytes) -> int:
        """Send it; the MSRP status."""
        assert self._session is not None
        message_id, loop = token(), asyncio.get_running_loop()
        waiting: asyncio.Future[int] = loop.create_future()
        self._sent[message_id] = waiting
        self._session.send(message_id, content_type, body, loop.time())
        if self._link is not None:
            self._link.wake()
        async with asyncio.timeout(PATIENCE):
            return await waiting

    def _received(self, event: msrp.Received) -> None:
        assert self._session is not None
        device, selector = self._device, self._selector
        if selector is None:
            self._session.accept(event.receipt)
            device.heard(cpim.parse(event.body), self.peer, self.conversation_id, "large")
        elif not selector.fits(event.body):
            self._session.reject(event.receipt, 400)
        else:
            self._session.accept(event.receipt)
            file = File(selector.content_type, event.body, selector.name)
            device.files.arrived(Got(file, self.peer, "msrp", self._transfer_id, self._icon))


def _sendonly(accept: tuple[str, ...], file: tuple[tuple[str, str], ...] = ()) -> sdp.MsrpMedia:
    return sdp.MsrpMedia(path="", accept_types=accept, direction="sendonly", setup="active", file=file)


def _only(parts: tuple[File | str, ...]) -> File:
    [file] = parts
    if isinstance(file, str):
        raise TypeError("a text is no file")
    return file


def _joined(parts: tuple[File | str, ...]) -> tuple[str, bytes]:
    """One part as it is, several as multipart/mixed."""
    wired = []
    for part in parts:
        if isinstance(part, str):
            wired.append(Part((("Content-Type", "text/plain;charset=UTF-8"),), part.encode()))
        else:
            headers = (
                ("Content-Type", part.content_type),
                ("Content-Disposition", f'attachment; filename="{part.name}"'),
            )
            wired.append(Part(headers, part.body))
    if len(wired) == 1 and isinstance(parts[0], str):
        return wired[0].content_type, wired[0].body
    boundary = f"b{token()}"
    return f'multipart/mixed;boundary="{boundary}"', mime.build_multipart(wired, boundary)


def _described(request: Message) -> tuple[sdp.SessionDescription, bytes]:
    """The SDP of an INVITE, and the icon that stands beside it."""
    kind = request.get("content-type")
    if not mime.media_type(kind).startswith("multipart/"):
        return sdp.parse(request.body), b""
    found, icon = b"", b""
    for part in mime.split_multipart(kind, request.body):
        if mime.media_type(part.content_type) == sdp.CONTENT_TYPE:
            found = part.decoded()
        elif (part.get("Content-Disposition") or "").startswith("icon"):
            icon = part.decoded()
    return sdp.parse(found), icon
