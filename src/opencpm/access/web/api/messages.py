"""Sending, and what became of it."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Base64Bytes, Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.api.files import content
from opencpm.access.web.api.read import address, owned_message
from opencpm.access.web.handing import hand_out
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, malformed, not_found, of_send_error
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import SendError
from opencpm.domain.message import Disposition, Message, Part, message_ident, text_part
from opencpm.domain.report import Report, Status
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Inbox, LegEvents

router = APIRouter(tags=["messages"])
MESSAGE_ID = r"^[!-~]{1,128}$"
Want = Literal["delivered", "failed", "displayed", "processing", "interworking"]


class PartIn(Body):
    """One medium: ``text``, ``body`` in base64, or the id of an uploaded ``file``."""

    content_type: str = Field("text/plain;charset=UTF-8", pattern=r"^[!-~]+/[ -~]+$", max_length=200)
    text: str | None = None
    body: Base64Bytes | None = None
    file: str = Field("", max_length=64, description="The id that POST /files answered; its type and name hold.")
    name: str = Field("", max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]*$")

    def part(self, within: House, owner: str, *, taken: bool = True) -> Part:
        """:raises Problem: none or several of the three, or no such file."""
        if (self.text is not None) + (self.body is not None) + bool(self.file) != 1:
            raise malformed("A part has one of text, body and file.")
        if self.file:
            found = content(within, owner, self.file, taken=taken)
            return found._replace(name=self.name or found.name)
        body = self.text.encode() if self.text is not None else bytes(self.body or b"")
        return Part(self.content_type, body, self.name, "attachment" if self.name else "")


class MessageIn(Body):
    """``text``, or ``parts``; to one or more addresses."""

    to: list[str] = Field(min_length=1, max_length=1000, description='"+12025550101", "msn:bob@msn.test", …')
    text: str | None = None
    parts: list[PartIn] | None = Field(None, min_length=1, max_length=32)
    route: str = Field("", max_length=64, description='The network to use; empty: "automatic".')
    message_id: str | None = Field(
        None, pattern=MESSAGE_ID, description="Yours; a repetition with the same one is stored once (imdn.Message-ID)."
    )
    want: list[Want] = Field(default=["delivered", "failed", "displayed", "interworking"], max_length=8)
    expires_in: float | None = Field(None, gt=0, le=366 * 86400, allow_inf_nan=False, description="Seconds.")
    subject: str = Field("", max_length=255, pattern=r"^[^\r\n\x00]*$")
    in_reply_to: str = Field("", max_length=128, pattern=r"^[!-~]*$")
    conversation_id: str = Field("", max_length=128, pattern=r"^[!-~]*$")
    contribution_id: str = Field("", max_length=128, pattern=r"^[!-~]*$")


@router.post("/messages", status_code=202, summary="Send; answered after it is durably stored")
async def send(body: MessageIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    message = _message(body, caller, within)
    try:
        await commit(within.messaging, message)
    except Problem:
        within.note_refused(message.id, caller.id)
        raise
    stored = within.messaging.store.message(message.id) or message
    return views.whole(within.messaging.store, stored, within.messaging.store.deliveries_of(message.id), caller.id)


@router.get("/messages/{ident}", summary="A message with its deliveries and their states")
async def get(ident: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """`link` of a delivery: the page that its text leads to, and how often somebody looked at it. Looking is no display
    report: virus scanners and previews look as well."""
    message, records = owned_message(within, caller.id, ident)
    shown = views.whole(within.messaging.store, message, records, caller.id)
    if within.desk is not None and shown["direction"] == "sent":
        for delivery in shown["deliveries"]:
            if (page := within.desk.files.of(delivery["id"])) is not None:
                delivery["link"] = {"until": views.time(page.until), "views": page.views}
    return shown


@router.get(
    "/messages/{ident}/parts/{index}",
    summary="One medium, as it was sent; Range is understood",
    response_class=Response,
)
async def part(ident: str, index: int, request: Request, caller: Caller, within: TheHouse) -> Response:
    message, _ = owned_message(within, caller.id, ident)
    if not 0 <= index < len(message.parts):
        raise not_found("part")
    return hand_out(request, message.parts[index], index)


@router.get("/messages/{ident}/trail", summary="What happened to it and why")
async def trail(ident: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """A receiver sees the lines about their own copy only. A refused message has a trail and is not stored."""
    if within.refused.get(ident) == caller.id and within.messaging.store.message(ident) is None:
        lines = within.messaging.store.trail(ident)
        return {"message": None, "trail": [views.trail_entry(entry) for entry in lines]}
    message, records = owned_message(within, caller.id, ident)
    sender = within.people.owner_of(message.sender)
    entries = within.messaging.store.trail(message.id)
    if sender is None or sender.id != caller.id:
        own = {r.id for r in records if views.seen_by(caller.id, r) is not None}
        entries = [e for e in entries if not e.delivery_id or e.delivery_id.partition("!")[0] in own]
    return {
        "message": views.whole(within.messaging.store, message, records, caller.id),
        "trail": [views.trail_entry(entry) for entry in entries],
    }


@router.post("/messages/{ident}/displayed", status_code=204, summary="I have seen it")
async def displayed(ident: str, caller: Caller, within: TheHouse) -> Response:
    """Tells the sender where they asked for it and your preferences allow it."""
    message, records = owned_message(within, caller.id, ident)
    received = [r for r in records if views.seen_by(caller.id, r) is not None and _is_for(within, r.recipient, caller)]
    if not received:
        raise Problem(409, "not-received", "You did not receive this message.")
    now = within.clock.now()
    reports = [
        Report(
            status=Status.DISPLAYED,
            network=within.connector.name,
            source="web page: displayed",
            at=now,
            delivery_id=record.id,
            reporter=caller.addresses[0],
            original_sender=message.sender,
        )
        for record in received
        if record.state is not DeliveryState.DISPLAYED
    ]
    if reports:
        stored = asyncio.Event()
        within.messaging.reported(reports, stored.set)
        await stored.wait()
    return Response(status_code=204)


async def commit(to: Inbox | LegEvents, message: Message) -> None:
    """Hand a message to messaging (or to a session) and wait until it is durably stored.

    :raises Problem: it was refused; the problem names the reason and the message, whose trail says more.
    """
    verdict: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()
    to.received([message], lambda verdicts: None if verdict.done() else verdict.set_result(verdicts[0]))
    error = await verdict
    if error is not None:
        raise of_send_error(error, message=message.id)


def _message(body: MessageIn, caller: Subscriber, within: House) -> Message:
    if (body.text is None) == (body.parts is None):
        raise malformed("A message has either text or parts.")
    if body.route and body.route not in within.messaging.connectors:
        raise Problem(422, "unknown-network", f"There is no network {body.route!r}.")
    parts = (
        (text_part(body.text),) if body.text is not None else tuple(p.part(within, caller.id) for p in body.parts or ())
    )
    if body.text == "":
        raise malformed("The text is empty.")
    given = (part.part(within, caller.id) for part in body.parts or ())
    parts = (text_part(body.text),) if body.text is not None else tuple(given)
    message_id = body.message_id or within.ids.new()
    now = within.clock.now()
    sender = caller.addresses[0]
    return Message(
        id=message_ident(sender, message_id),
        message_id=message_id,
        sender=sender,
        recipients=tuple(dict.fromkeys(address(text) for text in body.to)),
        parts=parts,
        sent_at=now,
        received_at=now,
        origin=within.connector.name,
        conversation_id=body.conversation_id,
        contribution_id=body.contribution_id,
        in_reply_to=body.in_reply_to,
        wants=wants(body.want),
        expires_at=now + body.expires_in if body.expires_in else None,
        subject=body.subject,
        route=body.route,
    )


def wants(names: list[Any]) -> Disposition:
    asked = Disposition.NONE
    for name in names:
        asked |= views.WANTS[name]
    return asked


def _is_for(within: House, recipient: Any, caller: Subscriber) -> bool:
    owner = within.people.owner_of(recipient)
    return owner is not None and owner.id == caller.id
