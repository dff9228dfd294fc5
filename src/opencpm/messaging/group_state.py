"""Groups as they are stored: JSON under their id. Every reader takes what any earlier version wrote."""

from __future__ import annotations

import json
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.group import Group, Member, MemberState, Role

ROOM = "messaging.groups"
CLAIMS = "messaging.groups.claims"


def group_bytes(group: Group) -> bytes:
    value = {
        "focus": str(group.focus),
        "subject": group.subject,
        "conversation": group.conversation_id,
        "contribution": group.contribution_id,
        "created_at": group.created_at,
        "closed": group.closed,
        "version": group.version,
        "members": [_member_value(member) for member in group.members],
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def group_from(group_id: str, text: bytes) -> Group:
    """:raises ValueError: not a group."""
    try:
        value = json.loads(text)
        return Group(
            id=group_id,
            focus=_address(value["focus"]),
            subject=value.get("subject", ""),
            members=tuple(_member_from(member) for member in value["members"]),
            conversation_id=value.get("conversation", ""),
            contribution_id=value.get("contribution", ""),
            created_at=value.get("created_at", 0.0),
            closed=value.get("closed", False),
            version=value.get("version", 1),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no group: {error}") from error


def _member_value(member: Member) -> dict[str, Any]:
    return {
        "address": str(member.address),
        "name": member.name,
        "state": member.state.value,
        "role": member.role.value,
        "host": member.host,
        "network": member.network,
        "detail": member.detail,
        "since": member.since,
    }


def _member_from(value: dict[str, Any]) -> Member:
    return Member(
        address=_address(value["address"]),
        name=value.get("name", ""),
        state=MemberState(value["state"]),
        role=Role(value.get("role", Role.MEMBER)),
        host=value.get("host", ""),
        network=value.get("network", ""),
        detail=value.get("detail", ""),
        since=value.get("since", 0.0),
    )


def _address(text: str) -> Address:
    scheme, _, rest = text.partition(":")
    return Address(scheme, rest)
