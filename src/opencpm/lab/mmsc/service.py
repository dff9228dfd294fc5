"""The MMS centre: services that submit, phones that fetch, reports and messages brought to the service."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from types import TracebackType

import h11

from opencpm.protocols import mm7
from opencpm.protocols.mime import MimeError, Part
from opencpm.protocols.mm7.operations import CancelReq, DeliverReq, Request, Response, SubmitReq, name_of
from opencpm.protocols.mm7.schema import REL_5, Release
from opencpm.protocols.mm7.status import MEANINGS, meaning
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import NUMBER, SHORT_CODE, Address, Recipients, Status

from . import http
from .faults import Faults
from .happenings import Happening, Happenings
from .log import Line, Log, named
from .phone import Mm, Phone, Sent, shown
from .pusher import Pusher
from .reports import Reports, Submitted
from .strict import complaint

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LabMmsc:
    """One MMS centre with its MM7 side.

    ``vasps`` maps user to password (None: everybody may submit). ``max_size``: octets of a request, more gets 2004.
    ``speaks``: the release of all its answers and requests, whatever it was asked in. Numbers without a phone are
    phones that are on and show nothing.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        vasps: Mapping[str, str] | None = None,
        max_size: int = 600 << 10,
        speaks: Release = REL_5,
        swapped: bool = True,
        strict: bool = True,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError("the lab listens on loopback only")
        self.vasps, self.max_size, self.speaks, self.strict = vasps, max_size, speaks, strict
        self.faults = Faults()
        self.log = Log()
        self.happenings = Happenings()
        self.phones: dict[str, Phone] = {}
        self.pusher = Pusher(self.log, self.happenings)
        self._reports = Reports(self.faults, self._push, swapped)
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._number = 0
        self._links: set[str] = set()
        self._waiting: dict[str, list[tuple[Submitted, Part]]] = {}

    # -- mains

    async def __aenter__(self) -> LabMmsc:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pusher.close()
        await self.down()

    @property
    def url(self) -> str:
        """Where services submit; after ``down`` where they did."""
        return f"http://{self._host}:{self._port}/mm7"

    async def up(self) -> None:
        """Listen; after ``down``, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self._host, self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Stop listening and drop every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    # -- people and services

    def phone(self, number: str, kind: str = "megapixel") -> Phone:
        """The phone with this number, made when first asked for."""
        if number not in self.phones:
            self.phones[number] = Phone(
                number, kind, self.happenings, self._from_phone, self._reports.read, self._phone_changed
            )
        return self.phones[number]

    def reach(self, url: str, username: str = "", password: str = "") -> None:
        """Where the service listens, and our credentials there."""
        self.pusher.reach(url, username, password)

    def release_reports(self) -> None:
        """Reports that were held go now."""
        self.faults.hold_reports = False
        self._reports.release()

    def expire(self, number: str) -> None:
        """The validity of everything that waits for a phone is over."""
        for submitted, _ in self._waiting.pop(number, []):
            self._reports.delivery(submitted, "Expired")

    # -- requests

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.faults.disconnect > 0:
                self.faults.disconnect -= 1
                return
            await http.serve(h11.Connection(our_role=h11.SERVER), http.Streams(reader, writer), self._handle)
        except (OSError, h11.RemoteProtocolError):
            pass
        finally:
            writer.close()

    async def _handle(self, request: http.Request) -> http.Response | None:
        content_type = request.headers.get("content-type", "")
        self.log.add(Line(time.time(), "C", named(content_type, request.body), content_type, request.body))
        response = await self._answer(request)
        if response is not None:
            name = named(response.content_type, response.body) if response.body else "HTTP"
            line = Line(time.time(), "S", name, response.content_type, response.body, response.status)
            self.log.add(line)
        return response

    async def _answer(self, request: http.Request) -> http.Response | None:
        if self.vasps is not None and not self._known(request.headers.get("authorization", "")):
            return http.Response(401, headers=(("WWW-Authenticate", 'Basic realm="mmsc"'),))
        if self.faults.http:
            return http.Response(self.faults.http.pop(0))
        try:
            message = mm7.decode(request.headers.get("content-type", ""), request.body)
        except mm7.Mm7Error as error:
            return self._fault(2007, str(error))
        return await self._operation(message, request)

    async def _operation(self, message: mm7.Message, request: http.Request) -> http.Response | None:
        if self.strict and (wrong := complaint(request.headers, request.body)):
            return self._fault(4004, wrong, message.transaction_id)
        if self.faults.only_release and not message.release.namespace.endswith(self.faults.only_release):
            return self._fault(4002, "", message.transaction_id)
        if isinstance(message.operation, SubmitReq):
            return await self._submit(message, message.operation, len(request.body))
        if isinstance(message.operation, CancelReq):
            return self._spelled(message, 1000 if self._cancel(message.operation) else 2005)
        return self._fault(4003, "", message.transaction_id)

    def _known(self, authorization: str) -> bool:
        assert self.vasps is not None
        told = {base64.b64encode(f"{user}:{password}".encode()).decode() for user, password in self.vasps.items()}
        return authorization.removeprefix("Basic ") in told

    async def _submit(self, message: mm7.Message, request: SubmitReq, size: int) -> http.Response | None:
        refused = self._refused(request, size)
        if refused:
            self._tell("refused", _to(request), str(refused))
            return self._spelled(message, refused)
        self._number += 1
        submitted = Submitted(f"mm{self._number}@lab-mmsc", request)
        if self.faults.reports_first:
            self._carry(submitted, message.content)
            await self.pusher.idle()
        else:
            asyncio.get_running_loop().call_soon(self._carry, submitted, message.content)
        return await self._spoiled(self._spelled(message, 1000, submitted.message_id))

    async def _spoiled(self, response: http.Response) -> http.Response | None:
        """The message is taken; what becomes of the answer."""
        faults = self.faults
        if faults.no_answer > 0:
            faults.no_answer -= 1
            return None
        if faults.silent > 0:
            faults.silent -= 1
            await asyncio.Event().wait()
        if faults.empty > 0:
            faults.empty -= 1
            return http.Response(200)
        return response

    def _refused(self, request: SubmitReq, size: int) -> int:
        """The StatusCode that a submission is refused with; 0: none."""
        if self.faults.statuses:
            code = self.faults.statuses.pop(0)
            return 0 if code == 1000 else code
        if request.linked_id and (self.faults.forget_links or request.linked_id not in self._links):
            return 2006
        if size > self.max_size:
            return 2004
        everybody = [*request.recipients.to, *request.recipients.cc, *request.recipients.bcc]
        if not everybody:
            return 2002
        return next((self.faults.refuse[one.value] for one in everybody if one.value in self.faults.refuse), 0)

    # -- delivering

    def _carry(self, submitted: Submitted, content: Part | None) -> None:
        """Notify the phone; it fetches if it is on."""
        number = _to(submitted.request)
        self._tell("submitted", number, submitted.message_id)
        phone = self.phones.get(number)
        self._reports.delivery(submitted, "Forwarded")
        if phone is None or content is None:
            self._reports.delivery(submitted, "Retrieved")
        elif phone.rejects:
            self._reports.delivery(submitted, "Rejected")
        elif phone.on:
            self._fetch(phone, submitted, content)
        else:
            self._waiting.setdefault(number, []).append((submitted, content))

    def _fetch(self, phone: Phone, submitted: Submitted, content: Part) -> None:
        request = submitted.request
        try:
            parts = shown(content, phone.kind)
        except MimeError:
            self._reports.delivery(submitted, "Unrecognised")
            return
        sender = request.sender.address.value if request.sender.address else ""
        size = sum(len(part.body) for part in parts)
        mm = Mm(time.time(), submitted.message_id, sender, request.subject, parts, size, bool(request.read_reply))
        mm.linked_id = request.linked_id
        self._reports.remember(submitted)
        phone.take(mm)
        self._reports.delivery(submitted, "Unrecognised" if mm.trouble and not mm.text else "Retrieved")

    def _phone_changed(self, phone: Phone) -> None:
        if phone.on:
            for submitted, content in self._waiting.pop(phone.number, []):
                self._fetch(phone, submitted, content)

    def _cancel(self, request: CancelReq) -> bool:
        for waiting in self._waiting.values():
            for one in waiting:
                if one[0].message_id == request.message_id:
                    waiting.remove(one)
                    return True
        return False

    # -- bringing

    async def _from_phone(self, phone: Phone, to: str, subject: str, content: Part) -> Sent:
        self._number += 1
        linked = f"mo{self._number}@lab-mmsc"
        self._links.add(linked)
        kind = NUMBER if len(to.lstrip("+")) > 8 else SHORT_CODE
        request = DeliverReq(
            relay_server_id="lab-mmsc",
            linked_id=linked,
            sender=Address(NUMBER, phone.number.lstrip("+")),
            recipients=Recipients(to=(Address(kind, to),)),
            timestamp=format_time(time.time()),
            priority="Normal",
            subject=subject,
        )
        sent = Sent(time.time(), to, linked)
        answer = await self.pusher.push(mm7.Message(linked, request, self.speaks, content))
        sent.status = "accepted" if answer and meaning(answer.status.code).accepted else _code(answer)
        self._tell("sent", phone.number, sent.status)
        return sent

    def _push(self, request: Request, transaction: str) -> None:
        self.pusher.later(mm7.Message(transaction, request, self.speaks))

    # -- answers

    def _spelled(self, message: mm7.Message, code: int, message_id: str = "") -> http.Response:
        request = message._replace(release=self.speaks)
        answer = mm7.answer(request, Status(code, meaning(code).text), message_id=message_id)
        return http.Response(200, *mm7.encode(answer))

    def _fault(self, code: int, details: str, transaction: str = "0000") -> http.Response:
        status = Status(code, MEANINGS[code].text, details)
        return http.Response(200, *mm7.encode(mm7.error("RSErrorRsp", status, transaction, self.speaks)))

    def _tell(self, what: str, number: str = "", text: str = "") -> None:
        self.happenings.add(Happening(time.time(), what, number, text))


def _to(request: SubmitReq) -> str:
    return request.recipients.to[0].value if request.recipients.to else ""


def _code(answer: Response | None) -> str:
    return "no answer" if answer is None else f"{name_of(answer)} {answer.status.code}"
