"""The messages of MM4 (3GPP TS 23.140 §8.4). Ids are as received, quotes and brackets included, to be echoed.

Dates are seconds since 1970 UTC. Compare ids with `mms.content.bare_id`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from opencpm.protocols.mime import Part

from .address import Address

VERSION = "6.10.0"
NO_CONTENT = Part((), b"")


class Step(NamedTuple):
    """A step of a forwarded message's way: its number, and the address or date, as text."""

    sequence: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardReq:
    """MM4_forward.REQ: a message for users of the other centre (§8.4.1)."""

    version: str = VERSION
    transaction_id: str = ""
    message_id: str = ""
    sender: Address | None = None
    """From; None: the sender is hidden."""
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: float | None = None
    subject: str = ""
    message_class: str = ""
    expiry: str = ""
    """A date, or seconds from Date on."""
    delivery_report: bool | None = None
    originator_delivery_report: bool | None = None
    """The report is wanted by the originating server itself."""
    priority: str = ""
    sender_visibility: str = ""
    read_reply: bool | None = None
    ack_request: bool | None = None
    """MM4_forward.RES is wanted; absent means no."""
    forward_counter: int | None = None
    previously_sent_by: tuple[Step, ...] = ()
    previously_sent_date: tuple[Step, ...] = ()
    adaptation_allowed: bool | None = None
    content_class: str = ""
    drm_content: bool | None = None
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    mmsip_address: str = ""
    forward_route: str = ""
    return_route: str = ""
    originator_system: str = ""
    """Where the RES and reports go."""
    internet_id: str = ""
    """Message-ID."""
    system_sender: str = ""
    """Sender."""
    content: Part = NO_CONTENT
    """Content-Type and body, often a multipart (`mms.content.flatten`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq:
    """MM4_delivery_report.REQ: what became of a message at one recipient (§8.4.2)."""

    version: str = VERSION
    transaction_id: str = ""
    message_id: str = ""
    sender: Address | None = None
    """The recipient of the message."""
    to: tuple[Address, ...] = ()
    """Who sent the message."""
    date: float | None = None
    ack_request: bool | None = None
    mm_status: str = ""
    mm_status_extension: str = ""
    status_text: str = ""
    forward_to_originator: bool | None = None
    mmsip_address: str = ""
    forward_route: str = ""
    return_route: str = ""
    originator_system: str = ""
    internet_id: str = ""
    system_sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq:
    """MM4_read_reply_report.REQ: the message was read, or deleted unread (§8.4.3)."""

    version: str = VERSION
    transaction_id: str = ""
    message_id: str = ""
    sender: Address | None = None
    """The reader."""
    to: tuple[Address, ...] = ()
    date: float | None = None
    ack_request: bool | None = None
    read_status: str = ""
    status_text: str = ""
    mmsip_address: str = ""
    forward_route: str = ""
    return_route: str = ""
    originator_system: str = ""
    internet_id: str = ""
    system_sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A RES of any kind. Correlated by transaction only: peers put ids of their own in Message-ID."""

    type: str
    """MM4_forward.RES, MM4_delivery_report.RES or MM4_read_reply_report.RES."""
    version: str = VERSION
    transaction_id: str = ""
    message_id: str = ""
    status: str = ""
    """X-Mms-Request-Status-Code (`status.meaning`)."""
    status_text: str = ""
    to: tuple[Address, ...] = ()
    date: float | None = None
    internet_id: str = ""
    system_sender: str = ""


Request = ForwardReq | DeliveryReportReq | ReadReplyReq
Message = Request | Response

TYPES: dict[type[Request], str] = {
    ForwardReq: "MM4_forward.REQ",
    DeliveryReportReq: "MM4_delivery_report.REQ",
    ReadReplyReq: "MM4_read_reply_report.REQ",
}
RESPONSES = tuple(name.removesuffix("REQ") + "RES" for name in TYPES.values())


def type_of(message: Message) -> str:
    """X-Mms-Message-Type of a message."""
    return message.type if isinstance(message, Response) else TYPES[type(message)]


def answer(
    request: Request, status: str, *, system_sender: str, date: float, internet_id: str, text: str = ""
) -> Response:
    """The RES for a request: its transaction and message id echoed, to the system that originated it.

    Send it only if the request has `ack_request`; `system_sender` is our own system's address.
    """
    to = request.originator_system or request.system_sender
    return Response(
        type=TYPES[type(request)].removesuffix("REQ") + "RES",
        version=request.version,
        transaction_id=request.transaction_id,
        message_id=request.message_id,
        status=status,
        status_text=text,
        to=(_system(to),) if to else (),
        date=date,
        internet_id=internet_id,
        system_sender=system_sender,
    )


def _system(text: str) -> Address:
    user, at, domain = text.strip().strip("<>").rpartition("@")
    return Address("", user if at else domain, domain if at else "")
