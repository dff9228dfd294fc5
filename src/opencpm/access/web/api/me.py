"""The subscriber's own things: who they are, what they prefer, whom they know."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.api.read import address
from opencpm.access.web.problems import Problem, not_found
from opencpm.domain.contact import Contact
from opencpm.domain.presence import NOTE_LIMIT, note_of
from opencpm.domain.profile import Availability
from opencpm.domain.subscriber import GroupInvitations, Preferences, SessionFeedback, Simplify, WhenUnavailable

router = APIRouter(tags=["me"])


class PreferencesPatch(Body):
    """What is given is changed; the rest stays."""

    networks: list[str] | None = Field(None, max_length=32, description="Preferred networks, best first.")
    denied: list[str] | None = Field(None, max_length=32, description="Networks not to be used.")
    max_segments: int | None = Field(None, ge=0, le=255, description="SMS segments at most; 0: the operator's limit.")
    session_feedback: Literal["none", "errors", "all"] | None = None
    when_unavailable: Literal["defer", "reject"] | None = None
    accept_sessions: bool | None = Field(None, description="Answer invitations at once, without ringing.")
    display_reports: bool | None = Field(None, description="Tell senders that their messages were displayed.")
    status: Literal["available", "busy", "away", "offline"] | None = None
    links: bool | None = Field(None, description="What a network cannot carry may go as a text with a private link.")
    strict_route: bool | None = Field(None, description="Rather refuse than use another network than the chosen one.")
    online_first: bool | None = Field(None, description="An instant message where the other person is online.")
    group_invitations: Literal["everyone", "contacts", "nobody"] | None = None
    note: str | None = Field(None, max_length=NOTE_LIMIT, description="What people read beside the status.")
    share_contacts: bool | None = Field(None, description="Change the networks' contact lists with the address book.")
    simplify: Literal["network", "off", "typographic", "latin"] | None = Field(
        None, description="What may become of characters that cost SMS segments; network: as the operator has it."
    )


class ContactIn(Body):
    name: str = Field(min_length=1, max_length=128)
    addresses: list[str] = Field(min_length=1, max_length=16, description='"+12025550101", "msn:bob@msn.test", …')
    networks: list[str] = Field(default_factory=list, max_length=32, description="Preferred for this person.")
    blocked: bool = False


@router.get("/me", summary="Who I am")
async def me(caller: Caller, within: TheHouse) -> dict[str, Any]:
    networks = [
        {
            "name": c.name,
            "label": c.profile.label,
            "sessions": c.profile.sessions,
            "kind": c.profile.kind,
            "needs_account": c.profile.needs_account,
            "presence": c.profile.presence,
            "rosters": c.profile.rosters,
        }
        for c in within.messaging.connectors.values()
        if not c.profile.access
    ]
    limits = {"message_bytes": within.messaging.policy.limits.message_bytes, "files": within.desk is not None}
    return {**views.subscriber(caller), "networks": networks, "limits": limits}


@router.patch("/me/preferences", summary="Change preferences")
async def change(patch: PreferencesPatch, caller: Caller, within: TheHouse) -> dict[str, Any]:
    _check_networks(within, [*(patch.networks or ()), *(patch.denied or ())])
    changed = replace(caller.preferences, **_typed(patch.model_dump(exclude_none=True)))
    changed = replace(changed, note=note_of(changed.note))
    if patch.status is not None or patch.note is not None:
        within.messaging.publish(caller.id, changed.status, changed.note)
    within.people.set_preferences(caller.id, changed)
    return views.preferences(changed)


@router.get("/contacts", summary="The address book")
async def contacts(caller: Caller, within: TheHouse) -> list[dict[str, Any]]:
    return [views.contact(c) for c in within.people.contacts(caller.id)]


@router.post("/contacts", status_code=201, summary="Add a person")
async def add(body: ContactIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    _check_networks(within, body.networks)
    addresses = [address(text) for text in body.addresses]
    try:
        return views.contact(within.people.add_contact(caller.id, body.name, addresses, body.networks))
    except ValueError as taken:
        raise Problem(409, "conflict", f"{taken}".capitalize() + ".") from None


@router.put("/contacts/{contact_id:path}", summary="Write a person anew")
async def put(contact_id: str, body: ContactIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    _own(within, caller.id, contact_id)
    _check_networks(within, body.networks)
    wanted = Contact(
        id=contact_id,
        owner=caller.id,
        name=body.name,
        addresses=tuple(dict.fromkeys(address(text) for text in body.addresses)),
        networks=tuple(body.networks),
        blocked=body.blocked,
    )
    try:
        return views.contact(within.people.write_contact(wanted))
    except ValueError as taken:
        raise Problem(409, "conflict", f"{taken}".capitalize() + ".") from None


@router.delete("/contacts/{contact_id:path}", status_code=204, summary="Remove a person; the history stays")
async def remove(contact_id: str, caller: Caller, within: TheHouse) -> Response:
    _own(within, caller.id, contact_id)
    within.people.remove_contact(caller.id, contact_id)
    return Response(status_code=204)


def _own(within: TheHouse, owner: str, contact_id: str) -> None:
    if all(c.id != contact_id for c in within.people.contacts(owner)):
        raise not_found("contact")


def _check_networks(within: TheHouse, names: list[str]) -> None:
    known = within.messaging.connectors
    for name in names:
        if name not in known:
            raise Problem(422, "unknown-network", f"There is no network {name[:40]!r}. There are: {', '.join(known)}.")


def _typed(given: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists and words as the values that :class:`Preferences` holds."""
    kinds: dict[str, Any] = {
        "networks": tuple,
        "denied": frozenset,
        "session_feedback": SessionFeedback,
        "when_unavailable": WhenUnavailable,
        "status": Availability,
        "group_invitations": GroupInvitations,
        "simplify": Simplify,
    }
    names = {f.name for f in fields(Preferences)}
    return {key: kinds.get(key, lambda v: v)(value) for key, value in given.items() if key in names}
