"""What the API shows: our values as JSON-able dictionaries. Times are RFC 3339 in UTC."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opencpm.access.web.needs import UseCases
from opencpm.domain.account import AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import Delivery
from opencpm.domain.group import Group, Member
from opencpm.domain.message import Disposition, Message, Part
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Health, Reach
from opencpm.domain.roster import ContactRequest, Mark
from opencpm.domain.subscriber import LinkedAccount, Preferences, Subscriber
from opencpm.domain.trail import TrailEntry
from opencpm.interfaces import DeliveryRecord, SessionRecord, Store
from opencpm.messaging.trail import losses_of
from opencpm.protocols import fthttp

WANTS = {
    "delivered": Disposition.POSITIVE_DELIVERY,
    "failed": Disposition.NEGATIVE_DELIVERY,
    "displayed": Disposition.DISPLAY,
    "processing": Disposition.PROCESSING,
    "interworking": Disposition.INTERWORKING,
}
_TEXT_SHOWN = 65536  # bytes of a text part that are shown in place; longer ones are fetched


def time(seconds: float) -> str | None:
    """None for a time that is not set."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def part(message_id: str, index: int, item: Part) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": index, "content_type": item.content_type, "size": len(item.body)}
    if item.name:
        shown["name"] = item.name
    if item.media_type == "text/plain" and len(item.body) <= _TEXT_SHOWN:
        shown["text"] = item.text
    else:
        shown["href"] = f"/api/v1/messages/{message_id}/parts/{index}"
    if item.media_type == fthttp.CONTENT_TYPE:
        shown |= _elsewhere(item)
    return shown


def _elsewhere(item: Part) -> dict[str, Any]:
    """A file on another content server: where it is, and what is said of it."""
    try:
        about = fthttp.parse(item.body).file
    except fthttp.FtHttpError:
        return {}
    return {"link": {"url": about.url, "name": about.name, "size": about.size, "content_type": about.content_type}}


def message(item: Message) -> dict[str, Any]:
    return {
        "id": item.id,
        "message_id": item.message_id,
        "from": str(item.sender),
        "to": [str(r) for r in item.recipients],
        "kind": item.kind.value,
        "subject": item.subject,
        "text": item.text,
        "parts": [part(item.id, index, p) for index, p in enumerate(item.parts)],
        "sent_at": time(item.sent_at),
        "received_at": time(item.received_at),
        "origin": item.origin,
        "route": item.route,
        "session": item.session_id,
        "conversation_id": item.conversation_id,
        "contribution_id": item.contribution_id,
        "in_reply_to": item.in_reply_to,
        "want": [name for name, flag in WANTS.items() if item.wants & flag],
    }


def delivery(record: DeliveryRecord, losses: Sequence[str] = ()) -> dict[str, Any]:
    """``losses``: what the receiver does not get, or not as it was sent."""
    return {
        "id": record.id,
        "recipient": str(record.recipient),
        "state": record.state.value,
        "network": record.network,
        "target": str(record.target) if record.target else "",
        "attempt": record.attempt,
        "waits_for": record.queue,
        "error": record.error,
        "detail": record.detail,
        "segments": record.segments,
        "losses": list(losses),
        "created_at": time(record.created_at),
        "updated_at": time(record.updated_at),
        "expires_at": time(record.expires_at),
        "next_try_at": time(record.not_before),
    }


def in_history(store: Store, record: DeliveryRecord, sent: bool) -> dict[str, Any]:
    """A line of a conversation: the message with the one delivery that puts it there."""
    losses = losses_of(store.trail(record.message.id)).get(record.id, ()) if sent and _may_lose(record.message) else ()
    thread = record.sent_thread if sent else record.received_thread
    return {
        **message(record.message),
        "peer": thread.partition("|")[2],
        "direction": "sent" if sent else "received",
        "deliveries": [delivery(record, losses)],
    }


def _may_lose(item: Message) -> bool:
    """Whether it is worth a look at the trail: plain texts say at most how many segments they are."""
    return bool(item.subject) or any(part.media_type != "text/plain" for part in item.parts)


def seen_by(owner: str, record: DeliveryRecord) -> bool | None:
    """Whether ``owner`` sent (True) or received (False) this delivery; None: it is none of theirs, or not yet."""
    if record.sent_thread.partition("|")[0] == owner:
        return True
    return False if record.received_thread.partition("|")[0] == owner and not record.withheld else None


def whole(store: Store, item: Message, records: Sequence[DeliveryRecord], owner: str) -> dict[str, Any]:
    """A message with all deliveries that ``owner`` may see: the sender all, a receiver their own."""
    own = [(r, seen_by(owner, r)) for r in records]
    sent = any(side for _, side in own)
    shown = [r for r, side in own if sent or side is not None]
    losses = losses_of(store.trail(item.id)) if sent else {}
    thread = next((r.sent_thread if sent else r.received_thread for r, side in own if side is sent), "")
    return {
        **message(item),
        "peer": thread.partition("|")[2],
        "direction": "sent" if sent or not own else "received",
        "deliveries": [delivery(r, losses.get(r.id, ())) for r in shown],
    }


def session(record: SessionRecord, owner: str) -> dict[str, Any]:
    thread = next((t for t in record.owner_threads if t.partition("|")[0] == owner), "")
    return {
        "session": record.id,
        "peer": thread.partition("|")[2],
        "initiator": str(record.initiator),
        "target": str(record.target),
        "network": record.network,
        "origin": record.origin,
        "state": record.state.value,
        "reason": record.reason,
        "opened_at": time(record.opened_at),
        "answered_at": time(record.answered_at),
        "closed_at": time(record.closed_at),
    }


def contact(item: Contact) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "addresses": [str(a) for a in item.addresses],
        "networks": list(item.networks),
        "blocked": item.blocked,
        "written": item.written,
        "lists": [mark(one) for one in item.marks],
    }


def mark(item: Mark) -> dict[str, Any]:
    """What a network's contact list says of an address."""
    return {
        "network": item.network,
        "account": str(item.account) if item.account else "",
        "address": str(item.address),
        "name": item.name,
        "groups": list(item.groups),
        "tie": item.tie.value,
        "blocked": item.blocked,
    }


def group(item: Group, own: Sequence[Address]) -> dict[str, Any]:
    """A group as one of its members (with the addresses ``own``) sees it."""
    return {
        "id": item.id,
        "address": str(item.focus),
        "subject": item.subject,
        "closed": item.closed,
        "version": item.version,
        "created_at": time(item.created_at),
        "members": [member(one, one.address in own) for one in item.members],
    }


def member(item: Member, me: bool) -> dict[str, Any]:
    return {
        "address": str(item.address),
        "name": item.name,
        "me": me,
        "role": item.role.value,
        "state": item.state.value,
        "network": item.network,
        "detail": item.detail,
        "since": time(item.since),
    }


def contact_request(item: ContactRequest) -> dict[str, Any]:
    return {
        "id": item.id,
        "network": item.network,
        "account": str(item.account) if item.account else "",
        "address": str(item.address),
        "name": item.name,
        "text": item.text,
        "at": time(item.at),
        "answer": item.answer.value,
    }


def account(item: LinkedAccount, status: AccountStatus) -> dict[str, Any]:
    return {
        "network": item.network,
        "address": str(item.address),
        "enabled": item.enabled,
        "state": status.state.value,
        "detail": status.detail,
        "since": time(status.since),
    }


def presence(item: Presence) -> dict[str, Any]:
    return {"availability": item.availability.value, "note": item.note, "since": time(item.since)}


def preferences(item: Preferences) -> dict[str, Any]:
    return {
        "networks": list(item.networks),
        "denied": sorted(item.denied),
        "max_segments": item.max_segments,
        "session_feedback": item.session_feedback.value,
        "when_unavailable": item.when_unavailable.value,
        "accept_sessions": item.accept_sessions,
        "display_reports": item.display_reports,
        "status": item.status.value,
        "links": item.links,
        "strict_route": item.strict_route,
        "online_first": item.online_first,
        "group_invitations": item.group_invitations.value,
        "note": item.note,
        "share_contacts": item.share_contacts,
        "simplify": item.simplify.value,
    }


def subscriber(item: Subscriber) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "addresses": [str(a) for a in item.addresses],
        "accounts": [{"network": a.network, "address": str(a.address), "enabled": a.enabled} for a in item.accounts],
        "preferences": preferences(item.preferences),
    }


def trail_entry(entry: TrailEntry) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": time(entry.at), "step": entry.step.value, "what": entry.what}
    if entry.delivery_id:
        shown["delivery"] = entry.delivery_id
    if entry.data:
        shown["data"] = _json(entry.data)
    return shown


def health(item: Health) -> dict[str, Any]:
    return {"state": item.state.value, "detail": item.detail, "since": time(item.since), "backlog": item.backlog}


def reach(item: Reach) -> dict[str, Any]:
    return {"availability": item.availability.value, "features": sorted(item.features), "detail": item.detail}


# -- events ------------------------------------------------------------------------------------------------


def of_hint(store: Store, owner: str, hint: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A hint of the bus as an event: its kind, and its data with what it points to."""
    data = {key: value for key, value in hint.items() if key != "type"}
    delivery_id = data.get("delivery")
    if isinstance(delivery_id, str) and (record := store.delivery(delivery_id)) is not None:
        sent = data["direction"] == "sent" if "direction" in data else seen_by(owner, record)
        if sent is not None and record.notice is None:
            data["item"] = in_history(store, record, sent)
    return str(hint.get("type", "hint")), data


def of_delivery(messaging: UseCases, owner: str, item: Delivery) -> tuple[str, dict[str, Any]]:
    """What a page is shown of a delivery that it shall acknowledge."""
    peer = messaging.directory.contact(owner, item.message.sender).id
    data: dict[str, Any] = {"ack": True, "peer": peer, "message": item.message.id, "delivery": item.id}
    if item.notice is None:
        record = messaging.store.delivery(item.id)
        data["item"] = (
            in_history(messaging.store, record, False) if record else {**message(item.message), "direction": "received"}
        )
        data["item"]["peer"] = peer
        return "message", data
    notice = item.notice
    data["peer"] = messaging.directory.contact(owner, notice.recipient).id
    data["status"] = notice.status.value
    data["notice"] = {
        "message_id": notice.message_id,
        "recipient": str(notice.recipient),
        "status": notice.status.value,
        "network": notice.network,
        "reason": notice.reason,
    }
    about = item.id.partition("!")[0]
    if (record := messaging.store.delivery(about)) is not None:
        data["delivery"] = about
        data["item"] = in_history(messaging.store, record, True)
    return "state", data


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
