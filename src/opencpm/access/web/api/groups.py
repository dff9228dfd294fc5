"""Groups: call one together, see who is in it, add, remove, talk, leave."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.api.messages import MESSAGE_ID, commit
from opencpm.access.web.api.read import address
from opencpm.access.web.house import House
from opencpm.access.web.problems import malformed, not_found, of_send_error
from opencpm.domain.errors import SendError
from opencpm.domain.group import SUBJECT_LIMIT, Group, GroupWish
from opencpm.domain.message import Disposition, Message, message_ident, text_part
from opencpm.domain.subscriber import Subscriber

router = APIRouter(tags=["groups"])


class GroupIn(Body):
    members: list[str] = Field(max_length=500, description='"sip:carol@example.com", "msn:bob@msn.test", "+1202…"')
    subject: str = Field("", max_length=SUBJECT_LIMIT, pattern=r"^[^\r\n\x00]*$")
    closed: bool = Field(False, description="Nobody can be added later.")


class SubjectIn(Body):
    subject: str = Field(max_length=SUBJECT_LIMIT, pattern=r"^[^\r\n\x00]*$")


class MembersIn(Body):
    members: list[str] = Field(min_length=1, max_length=500)


class SayIn(Body):
    text: str = Field(min_length=1)
    message_id: str | None = Field(None, pattern=MESSAGE_ID)


@router.post("/groups", status_code=201, summary="Call a group together")
async def convene(body: GroupIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Everybody is invited by a way that fits them: a session where their network has sessions, messages in your name
    where it has none. Your own devices are invited too. Events of type `group` tell what becomes of it."""
    wish = GroupWish(
        creator=caller.addresses[0],
        members=tuple(address(text) for text in body.members),
        subject=body.subject,
        closed=body.closed,
    )
    try:
        group, _ = await within.messaging.groups.convened(wish, None)
    except SendError as error:
        raise of_send_error(error) from None
    return views.group(group, caller.addresses)


@router.get("/groups", summary="The groups I am in")
async def groups(caller: Caller, within: TheHouse) -> list[dict[str, Any]]:
    return [views.group(one, caller.addresses) for one in within.messaging.groups.of(caller.id)]


@router.get("/groups/{group_id}", summary="One group, with its members and how they are")
async def group(group_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found = _own(within, caller, group_id)
    return {**views.group(found, caller.addresses), "trail": _trail(within, found)}


@router.patch("/groups/{group_id}", summary="Call it otherwise")
async def rename(group_id: str, body: SubjectIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found = _own(within, caller, group_id)
    changed = within.messaging.groups.renamed(found.focus, caller.addresses[0], body.subject)
    await _stored(within)
    return views.group(changed, caller.addresses)


@router.post("/groups/{group_id}/members", summary="Invite more people")
async def add(group_id: str, body: MembersIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found, whom = _own(within, caller, group_id), [address(text) for text in body.members]
    try:
        changed = within.messaging.groups.added(found.focus, caller.addresses[0], whom)
    except SendError as error:
        raise of_send_error(error) from None
    await _stored(within)
    return views.group(changed, caller.addresses)


@router.delete("/groups/{group_id}/members/{member:path}", summary="Remove somebody, or (`me`) leave")
async def remove(group_id: str, member: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found = _own(within, caller, group_id)
    whom = caller.addresses[0] if member == "me" else address(member)
    try:
        changed = within.messaging.groups.removed(found.focus, caller.addresses[0], whom)
    except SendError as error:
        raise of_send_error(error) from None
    await _stored(within)
    return views.group(changed, caller.addresses)


@router.post("/groups/{group_id}/messages", status_code=202, summary="Say something to all of them")
async def say(group_id: str, body: SayIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Answered after it is durably stored, like every message; its deliveries tell how each member gets it."""
    found = _own(within, caller, group_id)
    if not body.text.strip():
        raise malformed("The text is empty.")
    message_id = body.message_id or within.ids.new()
    sender, now = caller.addresses[0], within.clock.now()
    message = Message(
        id=message_ident(sender, message_id),
        message_id=message_id,
        sender=sender,
        recipients=(found.focus,),
        parts=(text_part(body.text),),
        sent_at=now,
        received_at=now,
        origin=within.connector.name,
        wants=Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY,
    )
    await commit(within.messaging, message)
    store = within.messaging.store
    stored = store.message(message.id) or message
    return views.whole(store, stored, store.deliveries_of(message.id), caller.id)


async def _stored(within: House) -> None:
    """What was changed is durable."""
    done = asyncio.Event()
    within.messaging.groups.stored(done.set)
    await done.wait()


def _own(within: House, caller: Subscriber, group_id: str) -> Group:
    """:raises Problem: 404, also for groups of others."""
    found = next((one for one in within.messaging.groups.of(caller.id) if one.id == group_id), None)
    if found is None:
        raise not_found("group")
    return found


def _trail(within: House, group: Group) -> list[dict[str, Any]]:
    return [views.trail_entry(entry) for entry in within.messaging.store.trail(group.id)]
