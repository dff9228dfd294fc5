"""The people and networks of the selection tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.errors import Reason
from opencpm.domain.message import Message, Part, text_part
from opencpm.domain.plan import Candidate, Note, Plan
from opencpm.domain.policy import Limits, Policy, Route
from opencpm.domain.profile import (
    UNKNOWN_REACH,
    WHOLE,
    Availability,
    Health,
    HealthState,
    Profile,
    Reach,
)
from opencpm.domain.subscriber import LinkedAccount, Preferences, Subscriber
from opencpm.selection import NetworkView, Request

NOW = 1_700_000_000.0

ALICE_SIP = Address("sip", "alice@cpm.test")
ALICE_TEL = Address("tel", "+12025550100")
ALICE_MSN = Address("msn", "alice@msn.test")
BOB_TEL = Address("tel", "+12025550101")
BOB_MSN = Address("msn", "bob@msn.test")
DESK_SIP = Address("sip", "desk@cpm.test")

ALICE = Subscriber(
    id="alice",
    name="Alice",
    addresses=(ALICE_SIP, ALICE_TEL),
    accounts=(LinkedAccount(owner="alice", network="msn", address=ALICE_MSN),),
)
DESK = Subscriber(id="desk", name="Desk", addresses=(DESK_SIP,))
BOB = Contact(id="bob", owner="alice", name="Bob", addresses=(BOB_TEL, BOB_MSN))

SIP = Profile(label="CPM devices", kind="cpm", schemes=frozenset({"sip", "tel"}), access=True, sessions=True)
WEB = replace(SIP, label="the web page")
SMS = Profile(label="SMS", kind="sms", schemes=frozenset({"tel"}), max_segments=10, stores=True)
MSN = Profile(label="MSN", kind="im", schemes=frozenset({"msn"}), needs_account=True, sessions=True)
XMPP = replace(MSN, label="XMPP", schemes=frozenset({"xmpp"}), stores=True)

UP = Health(HealthState.UP)
DOWN = Health(HealthState.DOWN, "connection refused", 1_700_000_000.0 - 100)
FULL = Health(HealthState.BUSY)

ONLINE = Reach(Availability.AVAILABLE, detail="1 device")
OFFLINE = Reach(Availability.OFFLINE)

POLICY = Policy(
    order=("sms", "msn"),
    routes=(Route(prefix="+1202", networks=("sms",), is_type="mobile"),),
    domains=(("msn.test", "msn"),),
    local_domains=("cpm.test",),
)


def sms(**more: Any) -> NetworkView:
    return NetworkView("sms", SMS, UP, BOB_TEL, UNKNOWN_REACH, WHOLE)._replace(**more)


def msn(**more: Any) -> NetworkView:
    return NetworkView("msn", MSN, UP, BOB_MSN, ONLINE, WHOLE)._replace(**more)


def sip(**more: Any) -> NetworkView:
    return NetworkView("sip", SIP, UP, DESK_SIP, ONLINE, WHOLE)._replace(**more)


def web(**more: Any) -> NetworkView:
    return NetworkView("web", WEB, UP, DESK_SIP, ONLINE, WHOLE)._replace(**more)


def message(*parts: Part, **more: Any) -> Message:
    made = Message(
        id="m1",
        message_id="m1",
        sender=ALICE_SIP,
        recipients=(BOB_TEL,),
        parts=parts or (text_part("Running late"),),
        sent_at=NOW,
        received_at=NOW,
        origin="sip",
    )
    return replace(made, **more)


def to_bob(*networks: NetworkView, **more: Any) -> Request:
    """From Alice to Bob, who has a telephone and an MSN account."""
    request = Request(
        now=NOW,
        sender_address=ALICE_SIP,
        recipient_address=BOB_TEL,
        sender=ALICE,
        recipient=None,
        contact=BOB,
        networks=networks or (sms(), msn()),
        policy=POLICY,
        message=message(),
    )
    return replace(request, **more)


def to_carol(*networks: NetworkView, **more: Any) -> Request:
    """From Alice to Desk, another subscriber."""
    contact = Contact(id="desk", owner="alice", name="Desk", addresses=(DESK_SIP,))
    request = to_bob(*(networks or (sip(), web())), recipient=DESK, recipient_address=DESK_SIP, contact=contact)
    return replace(request, **more)


def session(request: Request) -> Request:
    return replace(request, session=True, message=None)


def prefer(request: Request, **preferences: Any) -> Request:
    """The same with other preferences of the sender."""
    assert request.sender is not None
    return replace(request, sender=replace(request.sender, preferences=Preferences(**preferences)))


def receiver_prefers(request: Request, **preferences: Any) -> Request:
    assert request.recipient is not None
    return replace(request, recipient=replace(request.recipient, preferences=Preferences(**preferences)))


def operate(request: Request, **policy: Any) -> Request:
    """The same under another policy."""
    return replace(request, policy=replace(request.policy, **policy))


def limit(request: Request, **limits: Any) -> Request:
    return operate(request, limits=Limits(**limits))


def chosen(plan: Plan) -> str:
    """The network chosen, empty for none."""
    return plan.chosen.network if plan.chosen else ""


def candidate(plan: Plan, network: str) -> Candidate:
    return next(one for one in plan.candidates if one.network == network)


def dropped_by(plan: Plan, network: str) -> str:
    """The rule that dropped a network, empty where it stands."""
    found = candidate(plan, network)
    return "" if found.kept else found.notes[-1].rule


def said(plan: Plan, network: str, rule: str) -> str:
    """What a rule said of a network."""
    return next(note.evidence for note in candidate(plan, network).notes if note.rule == rule)


def fact(plan: Plan, rule: str) -> Note:
    return next(note for note in plan.facts if note.rule == rule)


def reason(plan: Plan) -> Reason | None:
    return plan.error.reason if plan.error else None
