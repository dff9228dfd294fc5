"""How the subscriber appears to others, how others are, and who wants to be a contact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, not_found
from opencpm.domain.contact import Contact
from opencpm.domain.presence import NOTE_LIMIT
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Connector

router = APIRouter(tags=["presence"])


class PresenceIn(Body):
    availability: Literal["available", "busy", "away", "offline"] = Field(
        description="`offline`: appear offline, and hold my messages."
    )
    note: str = Field("", max_length=NOTE_LIMIT, description="What people read beside it.")


class AnswerIn(Body):
    answer: Literal["accept", "decline"]
    name: str = Field("", max_length=128, description="With `accept`: put them into the address book under this name.")


@router.get("/presence", summary="Who can be reached where")
async def presence(caller: Caller, within: TheHouse) -> dict[str, Any]:
    """`published`: how you appear. `me`: your own devices. `accounts`: by network the one
    linked first, see `GET /accounts`. `contacts`: each address of each contact, as the networks tell it now."""
    connectors = list(within.messaging.connectors.values())
    own = {c.name: views.reach(c.reach(caller.id, caller.addresses[0])) for c in connectors if c.profile.access}
    first = {account.network: account for account in reversed(caller.accounts)}
    accounts = {name: views.account(one, within.messaging.accounts.of(one)) for name, one in first.items()}
    contacts = {c.id: _seen(within, caller.id, c, connectors) for c in within.people.contacts(caller.id)}
    return {"published": views.presence(caller.presence), "me": own, "accounts": accounts, "contacts": contacts}


@router.get("/me/presence", summary="How I appear")
async def published(caller: Caller) -> dict[str, Any]:
    return views.presence(caller.presence)


@router.put("/me/presence", summary="Appear otherwise, on every network")
async def publish(body: PresenceIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    changed = within.messaging.publish(caller.id, Availability(body.availability), body.note)
    return views.presence(changed.presence)


@router.get("/contact-requests", summary="Who wants to have me as a contact")
async def requests(caller: Caller, within: TheHouse) -> list[dict[str, Any]]:
    """They stand until answered; new ones come as events of type `contact-request`."""
    return [views.contact_request(one) for one in within.people.contact_requests(caller.id)]


@router.post("/contact-requests/{request_id}", summary="Answer a contact request")
async def answer(request_id: str, body: AnswerIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """The network is told as soon as its account is connected."""
    accept = body.answer == "accept"
    if all(one.id != request_id for one in within.people.contact_requests(caller.id)):
        raise not_found("contact request")
    asked = within.people.answer_request(caller.id, request_id, accept)
    if not accept or not body.name:
        return views.contact_request(asked)
    try:
        contact = within.people.add_contact(caller.id, body.name, [asked.address])
    except ValueError as taken:
        raise Problem(409, "conflict", f"The request is answered, but {taken}.") from None
    return {**views.contact_request(asked), "contact": contact.id}


def _published(subscriber: Subscriber, reach: Reach) -> dict[str, Any]:
    """A subscriber's own word goes before what their devices show; away by hand is not at home on any device."""
    own, there = subscriber.presence, reach.availability is Availability.AVAILABLE
    if there and own.availability is not Availability.AVAILABLE:
        reach = replace(reach, availability=own.availability, detail="set by hand")
    return {**views.reach(reach), "note": own.note, "since": views.time(own.since)}


def _seen(within: House, owner: str, contact: Contact, connectors: list[Connector]) -> list[dict[str, Any]]:
    """Reach of each address, with the note and the time where the network tells presence."""
    seen = []
    for item in contact.addresses:
        subscriber = within.people.owner_of(item)
        for connector in connectors:
            profile = connector.profile
            shown: dict[str, Any] = {"address": str(item), "network": connector.name}
            if profile.access:
                if subscriber is None or subscriber.on(item.scheme) != item:
                    continue
                shown |= _published(subscriber, connector.reach(subscriber.id, item))
            elif item.scheme in profile.schemes:
                shown |= views.reach(connector.reach(owner, item))
                told = within.messaging.presence.of(owner, connector.name, item)
                shown |= {"note": told.note, "since": views.time(told.since)}
            else:
                continue
            seen.append(shown)
    return seen
