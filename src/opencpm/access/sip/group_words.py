"""Groups as SIP writes them: who is invited, who is meant by a REFER, what a NOTIFY says. Pure."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.access.sip.addresses import Home
from opencpm.domain.address import Address
from opencpm.domain.group import FORMER, Group, Member, MemberState, Role
from opencpm.protocols import mime, resource_lists, sdp
from opencpm.protocols.conference_info import ConferenceInfo, User
from opencpm.protocols.sip.features import ICSI_TAG, feature_parameter, icsi
from opencpm.protocols.sip.headers import parse_name_addr
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.uri import parse_uri
from opencpm.transport.flow import Flow

SERVICE = "session.group"
FACTORY = "conference-factory"
"""User part of the address at which groups are called together (TS 24.147 §5.2.3)."""

_CLOSED = b"rcs.closedgroupchat"
_STATUS = {
    MemberState.CONNECTED: ("connected", ""),
    MemberState.PENDING: ("pending", ""),
    MemberState.AWAY: ("disconnected", ""),
    MemberState.DEPARTED: ("disconnected", "departed"),
    MemberState.BOOTED: ("disconnected", "booted"),
    MemberState.DECLINED: ("disconnected", "failed"),
    MemberState.FAILED: ("disconnected", "failed"),
}
_CAUSE = {
    MemberState.DECLINED: 'SIP;cause=603;text="Decline"',
    MemberState.FAILED: 'SIP;cause=404;text="Not Found"',
}


class Referral(NamedTuple):
    """Whom a REFER is about, and whether they shall go (``method=BYE``) or come."""

    whom: tuple[Address, ...]
    removing: bool


def focus_contact(uri: str, flow: Flow) -> tuple[str, str]:
    """Our Contact in a group's dialog (RFC 4579 §5.1): the group's address, and that it is a focus."""
    feature = feature_parameter(ICSI_TAG, [icsi(SERVICE)])
    return "Contact", f"<{uri};transport={flow.kind.lower()}>;isfocus;{feature}"


def is_closed(body: bytes) -> bool:
    """Whether a client asks for a closed group: a token in its SDP (seen; the attribute's name is not documented)."""
    return _CLOSED in body


def invited(message: Message, home: Home, limit: int) -> tuple[Address, ...]:
    """The recipient list of an INVITE or REFER (RFC 5366, RFC 5368). Raises Refusal 400 or 413."""
    content_type, body = message.get("content-type"), message.body
    kind = mime.media_type(content_type)
    try:
        if kind.startswith("multipart/"):
            found = [p for p in mime.split_multipart(content_type, body) if _is_list(p.content_type)]
            documents = [part.decoded() for part in found]
        else:
            documents = [body] if kind == resource_lists.CONTENT_TYPE else []
        entries = [e for document in documents for e in resource_lists.parse(document, max_entries=limit * 2).entries]
    except mime.MimeError as error:
        raise Refusal(400, f"Bad body: {error}") from None
    except resource_lists.ResourceListsError as error:
        raise Refusal(413 if "over" in str(error) else 400, f"Bad recipient list: {error}") from None
    return tuple(dict.fromkeys(home.address(entry.uri.partition("?")[0]) for entry in entries))


def _is_list(content_type: str) -> bool:
    return mime.media_type(content_type) == resource_lists.CONTENT_TYPE


def referral(message: Message, home: Home, limit: int) -> Referral:
    """What a REFER asks for (RFC 4579 §5.5, §5.11). Raises Refusal 400 or 413."""
    values = message.values("refer-to")
    if len(values) != 1:
        raise Refusal(400, "One Refer-To is wanted")
    target = parse_name_addr(values[0]).uri
    if target.lower().startswith("cid:"):
        whom = invited(message, home, limit)
        if not whom:
            raise Refusal(400, "Empty recipient list")
        return Referral(whom, False)
    bare = target.partition("?")[0]
    method = parse_uri(bare).parameter("method") or ""  # devices write it behind a tel: URI as well
    if method.upper() not in ("", "INVITE", "BYE"):
        raise Refusal(400, "Only INVITE and BYE can be referred")
    return Referral((home.address(bare),), method.upper() == "BYE")


def invitation_body(description: bytes, group: Group, home: Home, boundary: str) -> tuple[str, bytes]:
    """The body of an invitation into a group: our SDP, and who else is in it (RFC 5366 §5)."""
    entries = [resource_lists.Entry(home.uri(m.address, tel=True), "to", False, m.name or None) for m in group.live]
    parts = [
        mime.Part((("Content-Type", sdp.CONTENT_TYPE),), description),
        mime.Part(
            (
                ("Content-Type", resource_lists.CONTENT_TYPE),
                ("Content-Disposition", "recipient-list-history"),
            ),
            resource_lists.build(entries),
        ),
    ]
    return f'multipart/mixed;boundary="{boundary}"', mime.build_multipart(parts, boundary)


def conference_info(group: Group, home: Home, maximum: int) -> ConferenceInfo:
    """The group as RFC 4575 tells it."""
    return ConferenceInfo(
        entity=home.uri(group.focus),
        version=group.version,
        users=tuple(_user(member, home) for member in group.members),
        subject=group.subject,
        maximum=maximum,
        user_count=len(group.live),
        active=bool(group.live),
    )


def _user(member: Member, home: Home) -> User:
    status, method = _STATUS[member.state]
    chair = member.role is Role.CHAIR and member.state not in FORMER
    return User(
        entity=home.uri(member.address, tel=True),
        status=status,
        display=member.name,
        method=method,
        reason=_CAUSE.get(member.state, ""),
        roles=("chair",) if chair else (),
    )
