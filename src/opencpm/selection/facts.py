"""What is checked before any network is looked at: who, to whom, what. One function a rule; ``FACTS`` orders them."""

from __future__ import annotations

import time
from functools import lru_cache

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part
from opencpm.domain.number import NO_FACTS
from opencpm.domain.plan import Note
from opencpm.domain.profile import Availability
from opencpm.selection import numbers
from opencpm.selection.case import Case, FactRule, from_server, note, refusal
from opencpm.selection.request import NetworkView, Request
from opencpm.selection.targets import domain_of

_PRESENCE = (Availability.AVAILABLE, Availability.BUSY, Availability.AWAY, Availability.UNKNOWN, Availability.OFFLINE)


# ------------------------------------------------------------------------------------------------ sender


def _sender(case: Case) -> Note | None:
    request = case.request
    if request.sender is not None:
        return _sender_note(request.sender.id, request.sender.barred)
    if request.recipient is None and from_server(request):
        return note("sender", True, f"{request.sender_address} is this server")
    if request.recipient is None:
        return note(
            "sender", False, f"neither {request.sender_address} nor {request.recipient_address} is a subscriber"
        )
    return None


@lru_cache(maxsize=16384)
def _sender_note(who: str, barred: bool) -> Note:
    return Note("sender", not barred, f"{who} is barred by the operator" if barred else f"{who} may send")


def _sender_error(case: Case, _: Note) -> SendError:
    if case.request.sender is None:
        return refusal(Reason.BARRED, "Only subscribers of this server can send through it to other networks.")
    return refusal(Reason.BARRED, "This account may not send messages; ask the operator.")


def _blocked(case: Case) -> Note | None:
    request = case.request
    if request.blocked or (request.contact.blocked and _knows(case)):
        return note("blocked", False, f"{case.who} has blocked {request.sender_address}")
    if request.contact.blocked:
        return note("blocked", False, f"the sender has blocked {case.who}")
    return None


def _knows(case: Case) -> bool:
    """Whether the contact is the receiver's entry for the sender, and not the sender's for the receiver."""
    recipient = case.request.recipient
    return recipient is not None and case.request.contact.owner == recipient.id


def _blocked_error(case: Case, _: Note) -> SendError:
    if case.request.blocked or _knows(case):
        return refusal(Reason.BARRED, f"{case.who} does not take messages from this address.")
    return refusal(Reason.BARRED, f"You have blocked {case.who}; unblock this contact to write to them.")


# ----------------------------------------------------------------------------------------------- content


def _expiry(case: Case) -> Note | None:
    request = case.request
    if request.session or not 0 < request.expires_at <= request.now:
        return None
    return note("expiry", False, f"it was valid until {int(request.now - request.expires_at)} s ago")


def _expiry_error(_: Case, __: Note) -> SendError:
    return refusal(Reason.EXPIRED, "The message's validity ended before it could be delivered; send it again.")


def _time(case: Case) -> Note | None:
    """A message that its sender wants kept; asked again when its time has come, this has nothing to say."""
    request = case.request
    if request.message is None or request.message.not_before <= request.now or request.session:
        return None
    until, end = request.message.not_before, valid_until(request)
    if until >= end:
        return note(
            "time", False, f"not before {moment(until, request.now)}, and valid until {moment(end, request.now)}"
        )
    return note("time", True, f"not before {moment(until, request.now)}")


def _time_error(_: Case, told: Note) -> SendError:
    return refusal(Reason.NOT_ACCEPTABLE, f"The message could never be delivered: {told.evidence}; choose other times.")


def valid_until(request: Request) -> float:
    """When a message's validity ends: as asked for, within the operator's limits; 0.0 for an invitation. Where it is
    kept until a time, the operator's default begins then."""
    message, limits = request.message, request.policy.limits
    if request.session:
        return 0.0
    start = request.now if message is None else message.received_at
    asked = request.expires_at or (message.expires_at if message is not None else None)
    if not asked:
        asked = (start if message is None else max(start, message.not_before)) + limits.expiry_default
    return min(asked, start + limits.expiry_max)


def moment(at: float, now: float) -> str:
    """A time for people, with its day where that is another one."""
    then = time.gmtime(at)
    return time.strftime("%H:%M UTC" if then[:3] == time.gmtime(now)[:3] else "%Y-%m-%d %H:%M UTC", then)


def _content(case: Case) -> Note | None:
    message = case.request.message
    if message is None:
        return note("content", True, "a session invitation") if case.request.session else None
    limit = case.request.policy.limits.message_bytes
    parts = message.parts
    if len(parts) == 1 and parts[0].content_type[:10] == "text/plain":
        body = parts[0].body
        if limit and len(body) > limit:
            return _too_large(len(body), limit)
        return _text_note(len(body) if body.isascii() else len(parts[0].text))
    return _parts(message, limit)


@lru_cache(maxsize=8192)
def _text_note(characters: int) -> Note:
    return Note("content", True, f"text/plain, {_count(characters, 'character')}")


def _parts(message: Message, limit: int) -> Note:
    size = message.size
    if limit and size > limit:
        return _too_large(size, limit)
    return note("content", True, ", ".join(map(_describe, message.parts[:10])) or "nothing in it")


def _describe(part: Part) -> str:
    if part.media_type == "text/plain":
        return f"text/plain, {_count(len(part.text), 'character')}"
    return f"{part.media_type}, {_count(len(part.body), 'byte')}"


def _too_large(size: int, limit: int) -> Note:
    return note("content", False, f"{size} bytes, and at most {limit} are taken")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _content_error(case: Case, _: Note) -> SendError:
    limit = case.request.policy.limits.message_bytes
    return refusal(Reason.TOO_LARGE, f"The message is larger than the {limit} bytes this server takes; send less.")


# ---------------------------------------------------------------------------------------------- receiver


def _receiver(case: Case) -> Note | None:
    request = case.request
    recipient = request.recipient
    if recipient is None:
        return _legacy(request.recipient_address, case)
    if recipient.barred:
        return note("address", False, f"{request.recipient_address} is {recipient.id}, whose account is suspended")
    return _subscriber_note(request.recipient_address, recipient.id)


@lru_cache(maxsize=16384)
def _subscriber_note(address: Address, who: str) -> Note:
    return Note("address", True, f"{address} is {who}, a subscriber")


def _legacy(address: Address, case: Case) -> Note:
    if address.scheme == "tel":
        return _number(address, case)
    if address.scheme == "sip" and domain_of(address) in case.operator.local and not _elsewhere(case, ""):
        return note("address", False, f"nobody here is {address}")
    return _legacy_note(address)


@lru_cache(maxsize=65536)
def _legacy_note(address: Address) -> Note:
    return Note("address", True, f"{address} is not a subscriber: legacy network user")


def _number(address: Address, case: Case) -> Note:
    policy = case.request.policy
    number = numbers.canonical(address.value, policy.home_region)
    if number is not None and numbers.is_emergency(number, policy.home_region):
        return note("address", False, f"{number} is an emergency number")
    if (number is None or not _exists(number, case)) and not _elsewhere(case, "tel"):
        return note("address", False, f"{address.value} is not a complete telephone number")
    return _legacy_note(address)


def _exists(number: str, case: Case) -> bool:
    """The operator's table knows best; the numbering plan is asked about what the table does not name."""
    return number[0] != "+" or case.operator.match(number, NO_FACTS) is not None or numbers.is_possible(number)


def _elsewhere(case: Case, scheme: str) -> bool:
    """Whether the person has an address of another scheme that a network can reach."""
    return any(view.target is not None and view.target.scheme != scheme for view in case.request.networks)


def _receiver_error(case: Case, _: Note) -> SendError:
    address = case.request.recipient_address
    if case.request.recipient is not None:
        return refusal(Reason.UNREACHABLE, f"{case.who} cannot receive messages now; their account is suspended.")
    if address.scheme != "tel":
        return refusal(Reason.UNKNOWN_ADDRESS, f"Nobody has the address {address}; check how it is written.")
    if numbers.is_emergency(address.value, case.request.policy.home_region):
        return refusal(Reason.BARRED, "Emergency services are not reached by messages here; make a call.")
    return refusal(
        Reason.UNKNOWN_ADDRESS, f"{address.value} is not a telephone number; write it as +<country><number>."
    )


# ------------------------------------------------------------------------------------------------ status


def _status(case: Case) -> Note | None:
    """A subscriber's own word first, then what their devices show. For others, see the rule of each network."""
    recipient = case.request.recipient
    if recipient is None:
        return None
    if case.receiver.status is not Availability.AVAILABLE:
        return note("status", True, f"{recipient.id} is {case.receiver.status.value} (set by hand)")
    views = [view for view in case.request.networks if view.profile.access and view.target is not None]
    if not views:
        return note("status", True, f"{recipient.id} has no way to be reached here")
    best = min(views, key=_presence)
    return _status_note(recipient.id, best.reach.availability, best.reach.detail)


def _presence(view: NetworkView) -> int:
    return _PRESENCE.index(view.reach.availability)


@lru_cache(maxsize=16384)
def _status_note(who: str, availability: Availability, detail: str) -> Note:
    return Note("status", True, f"{who} is {availability.value}" + (f", {detail}" if detail else ""))


def _no_error(_: Case, told: Note) -> SendError:
    return refusal(Reason.INTERNAL, told.evidence)


# ------------------------------------------------------------------------------------------ chosen route


def _chosen(case: Case) -> Note | None:
    """The sender's choice for this one message, said once; the networks' rules act on it."""
    if not case.route:
        return None
    named = next((view for view in case.request.networks if view.name == case.route), None)
    if named is None:
        return note("choice", not case.strict, f"the sender asked for {case.route}, and no network here has that name")
    if named.target is None:
        return note("choice", not case.strict, f"the sender asked for {case.route}, where {case.who} has no address")
    return note("choice", True, f"the sender asked for {case.route}" + (" and nothing else" if case.strict else ""))


def _chosen_error(case: Case, told: Note) -> SendError:
    return refusal(Reason.NO_ROUTE, f"{told.evidence[0].upper()}{told.evidence[1:]}; choose another network.")


FACTS: tuple[FactRule, ...] = (
    ("expiry", _expiry, _expiry_error),
    ("time", _time, _time_error),
    ("sender", _sender, _sender_error),
    ("blocked", _blocked, _blocked_error),
    ("content", _content, _content_error),
    ("address", _receiver, _receiver_error),
    ("status", _status, _no_error),
    ("choice", _chosen, _chosen_error),
)
