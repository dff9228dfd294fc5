"""The operations of MM7 (3GPP TS 23.140 §8.7). Dates are the text of the wire; `times` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass

from .values import (
    NO_RECIPIENTS,
    NO_SENDER,
    NO_STATUS,
    Address,
    Content,
    Recipients,
    ReplyCharging,
    SenderIdentification,
    Status,
    Step,
    UaCapabilities,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq:
    """A service submits a message (§8.7.1)."""

    sender: SenderIdentification = NO_SENDER
    recipients: Recipients = NO_RECIPIENTS
    service_code: str = ""
    linked_id: str = ""
    message_class: str = ""
    timestamp: str = ""
    reply_charging: ReplyCharging | None = None
    earliest_delivery: str = ""
    expiry: str = ""
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: str = ""
    subject: str = ""
    charged_party: str = ""
    charged_party_id: str = ""
    distribution_indicator: bool | None = None
    delivery_condition: tuple[str, ...] = ()
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    content_class: str = ""
    drm_content: bool | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq:
    """The MMSC hands a message over (§8.7.2). A LinkedID is to be given in the answering SubmitReq."""

    relay_server_id: str = ""
    vasp_id: str = ""
    vas_id: str = ""
    linked_id: str = ""
    sender: Address | None = None
    recipients: Recipients = NO_RECIPIENTS
    previously_sent_by: tuple[Step, ...] = ()
    previously_sent_date: tuple[Step, ...] = ()
    sender_spi: str = ""
    recipient_spi: str = ""
    timestamp: str = ""
    reply_charging_id: str = ""
    priority: str = ""
    subject: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    ua_capabilities: UaCapabilities | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq:
    """What became of a message (§8.7.3). Peers differ in which of the two addresses is the phone's."""

    relay_server_id: str = ""
    message_id: str = ""
    recipient: Address | None = None
    sender: Address | None = None
    date: str = ""
    mm_status: str = ""
    mm_status_extension: str = ""
    status_text: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    ua_capabilities: UaCapabilities | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq:
    """The message was read, or deleted unread (§8.7.4)."""

    relay_server_id: str = ""
    message_id: str = ""
    recipient: Address | None = None
    sender: Address | None = None
    timestamp: str = ""
    mm_status: str = ""
    status_text: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReq:
    """A service takes a message back that was not delivered yet (§8.7.5)."""

    sender: SenderIdentification = NO_SENDER
    message_id: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedCancelReq:
    """A service takes a message back, also one that was delivered, by its CancelID (release 6)."""

    sender: SenderIdentification = NO_SENDER
    cancel_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceReq:
    """A service replaces a message that was not delivered yet (§8.7.6)."""

    sender: SenderIdentification = NO_SENDER
    message_id: str = ""
    service_code: str = ""
    timestamp: str = ""
    read_reply: bool | None = None
    earliest_delivery: str = ""
    distribution_indicator: bool | None = None
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedReplaceReq:
    """A service replaces a message, also one that was delivered, by its ReplaceID (release 6)."""

    sender: SenderIdentification = NO_SENDER
    recipients: Recipients = NO_RECIPIENTS
    replace_id: str = ""
    service_code: str = ""
    message_class: str = ""
    timestamp: str = ""
    earliest_delivery: str = ""
    expiry: str = ""
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: str = ""
    subject: str = ""
    charged_party: str = ""
    distribution_indicator: bool | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer: the operation's `...Rsp`, or RSErrorRsp, VASPErrorRsp, or a Fault that says no more."""

    operation: str
    """The name of the element, as `SubmitRsp`; `Fault` for a SOAP fault without an MM7 status."""
    status: Status = NO_STATUS
    message_id: str = ""
    """Of SubmitRsp (and extendedReplaceRsp): what reports will refer to."""
    service_code: str = ""
    """Of DeliverRsp."""


Request = (
    SubmitReq
    | DeliverReq
    | DeliveryReportReq
    | ReadReplyReq
    | CancelReq
    | ExtendedCancelReq
    | ReplaceReq
    | ExtendedReplaceReq
)
Operation = Request | Response

NAMES: dict[type[Request], str] = {
    SubmitReq: "SubmitReq",
    DeliverReq: "DeliverReq",
    DeliveryReportReq: "DeliveryReportReq",
    ReadReplyReq: "ReadReplyReq",
    CancelReq: "CancelReq",
    ExtendedCancelReq: "extendedCancelReq",
    ReplaceReq: "ReplaceReq",
    ExtendedReplaceReq: "extendedReplaceReq",
}
RESPONSES = frozenset(name.removesuffix("Req") + "Rsp" for name in NAMES.values())
ERRORS = ("RSErrorRsp", "VASPErrorRsp")


def name_of(operation: Operation) -> str:
    """The local name of the operation's element."""
    return operation.operation if isinstance(operation, Response) else NAMES[type(operation)]


def response_name(request: Request) -> str:
    """`SubmitReq` → `SubmitRsp`."""
    return NAMES[type(request)].removesuffix("Req") + "Rsp"
