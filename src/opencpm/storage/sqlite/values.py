"""Small structures as JSON, inside columns. Every reader takes what any earlier version wrote.

A key that is missing has its default, so a new field with a default needs no migration.
"""

from __future__ import annotations

import json
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import Availability
from opencpm.domain.report import Report, Status
from opencpm.domain.roster import Answer, ContactRequest, Mark, Tie
from opencpm.domain.subscriber import (
    GroupInvitations,
    Preferences,
    SessionFeedback,
    Simplify,
    Subscriber,
    WhenUnavailable,
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_decode = json.loads


def address_text(address: Address | None) -> str:
    return f"{address[0]}:{address[1]}" if address is not None else ""


def address_from(text: str) -> Address:
    """The address as it was stored; it is not parsed again, so it is the same whatever its form."""
    scheme, _, value = text.partition(":")
    return Address(scheme, value)


def optional_address(text: str) -> Address | None:
    return address_from(text) if text else None


def list_text(items: tuple[str, ...]) -> str:
    return _encode(items)


def list_from(text: str) -> tuple[str, ...]:
    return tuple(_decode(text))


# ------------------------------------------------------------------------------------------------ columns


def addresses_text(addresses: tuple[Address, ...]) -> str:
    """One address as it is (no scheme begins with a bracket), several as a JSON list."""
    if len(addresses) == 1:
        return address_text(addresses[0])
    return _encode([address_text(a) for a in addresses])


def addresses_from(text: str) -> tuple[Address, ...]:
    if text.startswith("["):
        return tuple(address_from(item) for item in _decode(text))
    return (address_from(text),)


def headers_text(headers: tuple[tuple[str, str], ...]) -> str:
    return _encode(headers) if headers else ""


def headers_from(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in _decode(text)) if text else ()


def notice_text(notice: Notice | None) -> str | None:
    if notice is None:
        return None
    return _encode(
        {
            "message_id": notice.message_id,
            "sent_at": notice.original_sent_at,
            "recipient": address_text(notice.recipient),
            "status": notice.status._value_,
            "network": notice.network,
            "reason": notice.reason,
            "cause": notice.cause,
        }
    )


def notice_from(text: str | None) -> Notice | None:
    if text is None:
        return None
    value = _decode(text)
    return Notice(
        message_id=value["message_id"],
        original_sent_at=value["sent_at"],
        recipient=address_from(value["recipient"]),
        status=Status(value["status"]),
        network=value.get("network", ""),
        reason=value.get("reason", ""),
        cause=value.get("cause", ""),
    )


# ------------------------------------------------------------------------------------------------ reports


def report_text(report: Report) -> str:
    return _encode(
        {
            "status": report.status._value_,
            "network": report.network,
            "source": report.source,
            "at": report.at,
            "delivery_id": report.delivery_id,
            "key": report.key,
            "check": report.check,
            "message_id": report.message_id,
            "reporter": address_text(report.reporter),
            "original_sender": address_text(report.original_sender),
            "error": _error_value(report.error),
            "detail": report.detail,
        }
    )


def report_from(text: str) -> Report:
    value = _decode(text)
    return Report(
        status=Status(value["status"]),
        network=value["network"],
        source=value["source"],
        at=value["at"],
        delivery_id=value.get("delivery_id", ""),
        key=value.get("key", ""),
        check=value.get("check", ""),
        message_id=value.get("message_id", ""),
        reporter=optional_address(value.get("reporter", "")),
        original_sender=optional_address(value.get("original_sender", "")),
        error=_error_from(value.get("error")),
        detail=value.get("detail", ""),
    )


def _error_value(error: SendError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "reason": error.reason._value_,
        "retryable": error.retryable,
        "detail": error.detail,
        "retry_after": error.retry_after,
        "code": error.code,
    }


def _error_from(value: dict[str, Any] | None) -> SendError | None:
    if value is None:
        return None
    return SendError(
        Reason(value["reason"]),
        retryable=value["retryable"],
        detail=value.get("detail", ""),
        retry_after=value.get("retry_after", 0.0),
        code=value.get("code", ""),
    )


# ------------------------------------------------------------------------------------------------- people


def subscriber_text(subscriber: Subscriber) -> str:
    """Without the linked accounts, which have rows of their own."""
    return _encode(
        {
            "id": subscriber.id,
            "name": subscriber.name,
            "addresses": [address_text(a) for a in subscriber.addresses],
            "barred": subscriber.barred,
            "status_since": subscriber.status_since,
            "preferences": _preferences_value(subscriber.preferences),
        }
    )


def subscriber_from(text: str) -> Subscriber:
    value = _decode(text)
    return Subscriber(
        id=value["id"],
        name=value["name"],
        addresses=tuple(address_from(a) for a in value["addresses"]),
        preferences=_preferences_from(value.get("preferences", {})),
        barred=value.get("barred", False),
        status_since=value.get("status_since", 0.0),
    )


def _preferences_value(preferences: Preferences) -> dict[str, Any]:
    return {
        "networks": preferences.networks,
        "denied": sorted(preferences.denied),
        "max_segments": preferences.max_segments,
        "session_feedback": preferences.session_feedback._value_,
        "when_unavailable": preferences.when_unavailable._value_,
        "accept_sessions": preferences.accept_sessions,
        "display_reports": preferences.display_reports,
        "status": preferences.status._value_,
        "links": preferences.links,
        "strict_route": preferences.strict_route,
        "online_first": preferences.online_first,
        "group_invitations": preferences.group_invitations._value_,
        "note": preferences.note,
        "share_contacts": preferences.share_contacts,
        "simplify": preferences.simplify._value_,
    }


def _preferences_from(value: dict[str, Any]) -> Preferences:
    default = Preferences()
    return Preferences(
        networks=tuple(value.get("networks", ())),
        denied=frozenset(value.get("denied", ())),
        max_segments=value.get("max_segments", default.max_segments),
        session_feedback=SessionFeedback(value.get("session_feedback", default.session_feedback)),
        when_unavailable=WhenUnavailable(value.get("when_unavailable", default.when_unavailable)),
        accept_sessions=value.get("accept_sessions", default.accept_sessions),
        display_reports=value.get("display_reports", default.display_reports),
        status=Availability(value.get("status", default.status)),
        links=value.get("links", default.links),
        strict_route=value.get("strict_route", default.strict_route),
        online_first=value.get("online_first", default.online_first),
        group_invitations=GroupInvitations(value.get("group_invitations", default.group_invitations)),
        note=value.get("note", default.note),
        share_contacts=value.get("share_contacts", default.share_contacts),
        simplify=Simplify(value.get("simplify", default.simplify)),
    )


def contact_text(contact: Contact) -> str:
    return _encode(
        {
            "id": contact.id,
            "owner": contact.owner,
            "name": contact.name,
            "addresses": [address_text(a) for a in contact.addresses],
            "networks": contact.networks,
            "blocked": contact.blocked,
            "marks": [_mark_value(mark) for mark in contact.marks],
            "written": contact.written,
            "removed": contact.removed,
        }
    )


def contact_from(text: str) -> Contact:
    value = _decode(text)
    return Contact(
        id=value["id"],
        owner=value["owner"],
        name=value["name"],
        addresses=tuple(address_from(a) for a in value["addresses"]),
        networks=tuple(value.get("networks", ())),
        blocked=value.get("blocked", False),
        marks=tuple(_mark_from(mark) for mark in value.get("marks", ())),
        written=value.get("written", True),
        removed=value.get("removed", False),
    )


def _mark_value(mark: Mark) -> dict[str, Any]:
    return {
        "network": mark.network,
        "account": address_text(mark.account),
        "address": address_text(mark.address),
        "name": mark.name,
        "groups": mark.groups,
        "tie": mark.tie._value_,
        "blocked": mark.blocked,
        "told": mark.told,
    }


def _mark_from(value: dict[str, Any]) -> Mark:
    return Mark(
        network=value["network"],
        account=optional_address(value["account"]),
        address=address_from(value["address"]),
        name=value.get("name", ""),
        groups=tuple(value.get("groups", ())),
        tie=Tie(value.get("tie", Tie.LISTED)),
        blocked=value.get("blocked", False),
        told=value.get("told", False),
    )


def request_text(request: ContactRequest) -> str:
    return _encode(
        {
            "owner": request.owner,
            "network": request.network,
            "address": address_text(request.address),
            "at": request.at,
            "name": request.name,
            "text": request.text,
            "account": address_text(request.account),
            "answer": request.answer._value_,
        }
    )


def request_from(text: str) -> ContactRequest:
    value = _decode(text)
    return ContactRequest(
        owner=value["owner"],
        network=value["network"],
        address=address_from(value["address"]),
        at=value["at"],
        name=value.get("name", ""),
        text=value.get("text", ""),
        account=optional_address(value.get("account", "")),
        answer=Answer(value.get("answer", Answer.OPEN)),
    )
