"""Conference information (RFC 4575): who is in a conference, as NOTIFY of the event package "conference" carries it.

Only what CPM groups use is built: full documents with one endpoint a user. Unknown elements and attributes are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .xmlsafe import XmlError, escape, local_name, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["CONTENT_TYPE", "ConferenceInfo", "ConferenceInfoError", "User", "build", "parse"]

CONTENT_TYPE = "application/conference-info+xml"
NS = "urn:ietf:params:xml:ns:conference-info"
_LIMIT = 262144
_MAX_USERS = 2000


class ConferenceInfoError(ValueError):
    """Not a conference-info document, or one over the limits on size, nesting or users."""


class User(NamedTuple):
    """One user with the one endpoint that stands for them.

    `status` is of §5.7.3 (connected, disconnected, pending, …); `method` of §5.7.5 says how somebody who is
    disconnected came to be so (departed, booted, failed, busy), `reason` why, as a Reason header value.
    """

    entity: str
    status: str
    display: str = ""
    method: str = ""
    reason: str = ""
    roles: tuple[str, ...] = ()
    state: str = "full"


class ConferenceInfo(NamedTuple):
    entity: str
    version: int
    users: tuple[User, ...] = ()
    subject: str = ""
    maximum: int = 0
    user_count: int = 0
    active: bool = True
    state: str = "full"


def build(info: ConferenceInfo) -> bytes:
    """A full document."""
    subject = f"<subject>{escape(info.subject)}</subject>" if info.subject else ""
    maximum = f"<maximum-user-count>{info.maximum}</maximum-user-count>" if info.maximum else ""
    users = "".join(_user(user) for user in info.users)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<conference-info xmlns="{NS}" entity="{escape(info.entity)}" '
        f'state="full" version="{info.version}">\r\n'
        f"<conference-description>{subject}{maximum}</conference-description>\r\n"
        f"<conference-state><user-count>{info.user_count}</user-count>"
        f"<active>{'true' if info.active else 'false'}</active></conference-state>\r\n"
        f"<users>\r\n{users}</users>\r\n</conference-info>"
    ).encode()


def _user(user: User) -> str:
    display = f"<display-text>{escape(user.display)}</display-text>" if user.display else ""
    roles = "".join(f"<entry>{escape(role)}</entry>" for role in user.roles)
    method = f"<disconnection-method>{escape(user.method)}</disconnection-method>" if user.method else ""
    reason = f"<disconnection-info><reason>{escape(user.reason)}</reason></disconnection-info>" if user.reason else ""
    return (
        f'<user entity="{escape(user.entity)}" state="full">{display}{f"<roles>{roles}</roles>" if roles else ""}'
        f'<endpoint entity="{escape(user.entity)}"><status>{escape(user.status)}</status>{method}{reason}</endpoint>'
        "</user>\r\n"
    )


def parse(body: bytes) -> ConferenceInfo:
    """Read a full or partial document. Raises ConferenceInfoError."""
    try:
        root = parse_xml(body, limit=_LIMIT, max_depth=16)
    except XmlError as error:
        raise ConferenceInfoError(str(error)) from None
    if local_name(root) != "conference-info":
        raise ConferenceInfoError("not a conference-info document")
    users = []
    for element in root.iter():
        if local_name(element) == "user":
            users.append(_read_user(element))
            if len(users) > _MAX_USERS:
                raise ConferenceInfoError(f"over {_MAX_USERS} users")
    return ConferenceInfo(
        entity=root.get("entity") or "",
        version=_number(root.get("version")),
        users=tuple(users),
        subject=_below(root, "conference-description", "subject"),
        maximum=_number(_below(root, "conference-description", "maximum-user-count")),
        user_count=_number(_below(root, "conference-state", "user-count")),
        active=_below(root, "conference-state", "active") != "false",
        state=root.get("state") or "full",
    )


def _read_user(element: Element) -> User:
    endpoint = _child(element, "endpoint")
    roles = _child(element, "roles")
    return User(
        entity=element.get("entity") or "",
        status=_text(endpoint, "status"),
        display=_text(element, "display-text"),
        method=_text(endpoint, "disconnection-method"),
        reason=_below(endpoint, "disconnection-info", "reason") if endpoint is not None else "",
        roles=tuple((entry.text or "").strip() for entry in (roles if roles is not None else ())),
        state=element.get("state") or "full",
    )


def _child(element: Element | None, name: str) -> Element | None:
    found: Iterable[Element] = element if element is not None else ()
    return next((child for child in found if local_name(child) == name), None)


def _text(element: Element | None, name: str) -> str:
    child = _child(element, name)
    return (child.text or "").strip() if child is not None else ""


def _below(element: Element, name: str, inner: str) -> str:
    return _text(_child(element, name), inner)


def _number(text: str | None) -> int:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
