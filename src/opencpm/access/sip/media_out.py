"""Content to devices in other forms than one MESSAGE: over HTTP, by MSRP, or as a text with a link.

A delivery may take several requests (a text, then each file); it is delivered when the last of them is. All ids on the
wire are derived from the delivery's, so a repetition is recognised; only the request that carries the message's own
Message-ID asks for dispositions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import Endpoint
from opencpm.access.sip.file_out import thumbnail
from opencpm.access.sip.file_refs import as_text
from opencpm.access.sip.forms import FT_HTTP, Form, Terms, choose, is_media
from opencpm.access.sip.outgoing import Body, body_for, fields_for
from opencpm.access.sip.reasons import error_of
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, Part, text_part
from opencpm.interfaces import NOTHING, Context
from opencpm.protocols import fthttp
from opencpm.protocols.sip.features import IARI_TAG, feature_parameter
from opencpm.protocols.sip.message import Message as SipMessage

__all__ = ["Carried", "MediaOut", "Result", "Taken"]

log = logging.getLogger("opencpm.access.sip")

_ACCEPT_HTTP: Final = f"*;{feature_parameter(IARI_TAG, [FT_HTTP])};require;explicit"
_AT_A_TIME: Final = {Form.LARGE: 1, Form.FILE: 2}
"""Invitations of a kind to one device; what waits goes in its order."""
_LINKED: Final = "the receiver's device cannot take all of it, so it got a link to the rest"


class Taken(Enum):
    """What becomes of a delivery that pager mode asks about."""

    NO = "no"  # pager mode carries it
    IN_LINE = "in line"  # what follows to the same device waits for it as for a MESSAGE
    ASIDE = "aside"  # it may take long (somebody has to accept it); what follows goes past


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended at one device: `error`, or who said that it has it."""

    error: SendError | None = None
    source: str = ""
    detail: str = ""
    losses: tuple[str, ...] = ()


@dataclass(slots=True)
class _Turns:
    """Who may call one device now."""

    free: asyncio.Semaphore
    wanted: int = 0


Carried = Callable[[Result], None]
Carry = Callable[[Delivery, Binding], Coroutine[Any, Any, Result]]


class MediaOut:
    """Takes over from pager mode. `large` and `file` are set where there are sessions over MSRP."""

    def __init__(self, settings: SipSettings, context: Context, endpoint: Endpoint, home: Home) -> None:
        self._settings, self._context, self._endpoint, self._home = settings, context, endpoint, home
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[tuple[Form, str, str], _Turns] = {}
        self.large: Carry | None = None
        self.file: Carry | None = None
        self.room: Callable[[], bool] = lambda: True
        """Whether there may be one more session."""

    def take(self, delivery: Delivery, binding: Binding, done: Carried) -> Taken:
        """See `Lanes.carry`."""
        flow = binding.flow
        if delivery.notice is not None or flow is None:
            return Taken.NO
        form = choose(delivery.message, binding, self._terms(), reliable=flow.reliable)
        if form is Form.PAGER:
            return Taken.NO
        ways = {Form.LARGE: self.large, Form.FILE: self._by_file, Form.HTTP: self._by_http, Form.LINK: self._by_link}
        carry = ways[form]
        assert carry is not None
        task = asyncio.get_running_loop().create_task(self._run(carry, form, delivery, binding, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Taken.IN_LINE if form in (Form.HTTP, Form.LINK) else Taken.ASIDE

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()

    def _terms(self) -> Terms:
        msrp = self.large is not None and self.file is not None and self.room()
        http = self._context.files is not NOTHING
        return Terms(self._settings.max_message, self._settings.max_content, http, msrp)

    async def _run(self, carry: Carry, form: Form, delivery: Delivery, binding: Binding, done: Carried) -> None:
        result = Result(SendError(Reason.NETWORK_DOWN, retryable=True, detail="The server is stopping."))
        try:
            async with (
                asyncio.timeout(max(0.0, delivery.deadline - self._context.clock.now())),
                self._turn(form, binding),
            ):
                found = await carry(delivery, binding)
            result = replace(found, detail=found.detail or form.value)
        except SendError as error:
            result = Result(error)
        except TimeoutError:
            detail = f"The device did not take it {form.value} in time."
            result = Result(SendError(Reason.TIMEOUT, retryable=True, detail=detail))
        except Exception:
            log.exception("delivery %s could not be carried %s", delivery.id, form.value)
            result = Result(SendError(Reason.INTERNAL, detail="The server could not write it."))
        finally:
            done(result)

    @asynccontextmanager
    async def _turn(self, form: Form, binding: Binding) -> AsyncIterator[None]:
        """A device that comes back to a hundred files is not called a hundred times at once, and large messages keep
        their order."""
        most = _AT_A_TIME.get(form)
        if most is None:
            yield
            return
        key = form, binding.user, binding.key
        turns = self._turns.setdefault(key, _Turns(asyncio.Semaphore(most)))
        turns.wanted += 1
        try:
            async with turns.free:
                yield
        finally:
            turns.wanted -= 1
            if not turns.wanted:
                self._turns.pop(key, None)

    # forms

    async def _by_http(self, delivery: Delivery, binding: Binding) -> Result:
        """The text, then a document for each file; the last one is the message."""
        message = delivery.message
        documents = [await self._document(delivery, index) for index, p in enumerate(message.parts) if is_media(p)]
        await self._text_first(delivery, binding)
        for number, document in enumerate(documents[:-1]):
            await self._say(_aside(delivery, f"f{number}", document), binding, http=True)
        last = replace(delivery, message=replace(message, parts=(documents[-1],)))
        return await self._say(last, binding, http=True)

    async def _by_file(self, delivery: Delivery, binding: Binding) -> Result:
        """The text, then one invitation for each file."""
        assert self.file is not None
        await self._text_first(delivery, binding)
        files = [part for part in delivery.message.parts if is_media(part)]
        result = Result()
        for number, part in enumerate(files):
            one = replace(delivery, message=replace(delivery.message, parts=(part,)))
            if number < len(files) - 1:
                one = replace(one, id=f"{delivery.id}.f{number}")
            result = await self.file(one, binding)
        return result

    async def _by_link(self, delivery: Delivery, binding: Binding) -> Result:
        """The text with the address of a page that shows all of it."""
        message = delivery.message
        parts = as_text(message.parts)
        said = "\n".join(part.text for part in parts if part.media_type == "text/plain")
        losses: tuple[str, ...] = ()
        if any(part.media_type != "text/plain" for part in parts) or len(said.encode()) > self._settings.max_message:
            share = self._context.files.share(delivery.id, self._until())
            said, losses = f"{said[:2000]}\n{share.page}" if said else share.page, (_LINKED,)
        linked = replace(message, parts=(text_part(said),))
        result = await self._say(replace(delivery, message=linked), binding)
        return replace(result, losses=losses)

    async def _text_first(self, delivery: Delivery, binding: Binding) -> None:
        text = delivery.message.text
        if text:
            await self._say(_aside(delivery, "t", text_part(text)), binding)

    # parts of it

    async def _document(self, delivery: Delivery, index: int) -> Part:
        part = delivery.message.parts[index]
        small = await thumbnail(self._context.media, part)
        fetch = self._context.files.fetch(delivery.id, index, self._until(), small)
        until = datetime.fromtimestamp(fetch.until, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        preview = None
        if fetch.thumbnail is not None:
            body = fetch.thumbnail
            preview = fthttp.FileInfo(fetch.thumbnail_url, len(body.body), body.content_type, until)
        name = part.name or f"file-{index + 1}"
        kind = part.disposition.partition(";")[0].strip().lower()
        disposition = kind if kind in ("render", "attachment") else "attachment"
        about = fthttp.FileInfo(fetch.url, len(part.body), part.media_type, until, name, disposition)
        return Part(fthttp.CONTENT_TYPE, fthttp.build(fthttp.Transfer(about, preview)))

    def _until(self) -> float:
        return self._context.clock.now() + self._settings.file_lifetime

    async def _say(self, delivery: Delivery, binding: Binding, *, http: bool = False) -> Result:
        """One MESSAGE and its answer. Raises SendError."""
        body = _body(delivery, binding)
        flow = binding.flow
        if flow is None or not flow.open:
            raise error_of(0)
        owner = self._context.directory.owner_of(delivery.source)
        fields = fields_for(delivery, binding, body, self._home, owner, self._endpoint.via_host)
        if http and not binding.plain:
            fields.insert(-1, ("Accept-Contact", _ACCEPT_HTTP))
        answered: asyncio.Future[SipMessage | None] = asyncio.get_running_loop().create_future()

        def heard(response: SipMessage | None, failed: bool) -> None:
            if not answered.done() and (response is None or response.status >= 200):
                answered.set_result(response)

        self._endpoint.send(flow, "MESSAGE", binding.contact, fields, body.content, heard)
        response = await answered
        if response is None or response.status >= 300:
            raise error_of(response.status if response is not None else 0, response)
        return Result(source=f"SIP {response.status} from device")


def _aside(delivery: Delivery, mark: str, part: Part) -> Delivery:
    """A request beside the one that is the message: an id of its own, and no dispositions."""
    message: Message = replace(delivery.message, message_id="", parts=(part,), wants=Disposition.NONE, subject="")
    return replace(delivery, id=f"{delivery.id}.{mark}", message=message)


def _body(delivery: Delivery, binding: Binding) -> Body:
    part = delivery.message.parts[0]
    if not binding.cpim and part.media_type == fthttp.CONTENT_TYPE:
        return Body(part.content_type, part.body)
    return body_for(delivery, binding)
