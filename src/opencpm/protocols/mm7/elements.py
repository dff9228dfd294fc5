"""Which elements an operation has, in the order that strict peers demand, and how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from opencpm.protocols.xmlsafe import escape, local_name

from .errors import Mm7Error
from .values import (
    ADDRESS_KINDS,
    MAIL,
    NUMBER,
    Address,
    Content,
    Recipients,
    ReplyCharging,
    SenderIdentification,
    Status,
    Step,
    UaCapabilities,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_RECIPIENTS = 1000


class Kind(NamedTuple):
    """How the value of an element is read, and its content and attributes written."""

    read: Callable[[Element], Any]
    write: Callable[[str, Any], str]


class Slot(NamedTuple):
    """An element of an operation and the attribute of our class that holds its value."""

    element: str
    attribute: str
    kind: Kind
    required: bool = False


def text_of(element: Element | None) -> str:
    """The text of an element, stripped; empty if there is none."""
    return (element.text or "").strip() if element is not None else ""


def child(element: Element, name: str) -> Element | None:
    """The first child of this local name, whatever its namespace."""
    return next((c for c in element if local_name(c) == name), None)


def tag(name: str, content: str, attributes: Iterable[tuple[str, str]] = ()) -> str:
    """An element in the mm7 prefix; content is markup already."""
    spelled = "".join(f' {key}="{escape(value)}"' for key, value in attributes if value)
    return f"<mm7:{name}{spelled}>{content}</mm7:{name}>" if content else f"<mm7:{name}{spelled}/>"


def attribute_of(element: Element, name: str) -> str:
    """An attribute by its local name; empty if there is none."""
    return next((v.strip() for k, v in element.attrib.items() if k.rpartition("}")[2].lower() == name.lower()), "")


def boolean(text: str) -> bool | None:
    """true or 1; false for any other word, None for no word."""
    return text.lower() in ("true", "1", "yes") if text else None


def _spelled(value: bool | None) -> str:
    return "" if value is None else "true" if value else "false"


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise Mm7Error("no number")
    return int(text)


def _read_address(element: Element) -> Address | None:
    for inner in element:
        if local_name(inner) in ADDRESS_KINDS:
            return _address(inner)
    bare = text_of(element)
    return Address(MAIL if "@" in bare else NUMBER, bare) if bare else None


def _address(element: Element) -> Address:
    return Address(
        local_name(element),
        text_of(element),
        bool(boolean(attribute_of(element, "displayOnly"))),
        attribute_of(element, "addressCoding"),
        attribute_of(element, "id"),
    )


def _spell_address(address: Address) -> str:
    if address.kind not in ADDRESS_KINDS:
        raise Mm7Error("no kind of address")
    shown = "true" if address.display_only else ""
    attributes = (("displayOnly", shown), ("addressCoding", address.coding), ("id", address.id))
    return tag(address.kind, escape(address.value), attributes)


def _read_recipients(element: Element) -> Recipients:
    lists: dict[str, list[Address]] = {"To": [], "Cc": [], "Bcc": []}
    for group in element:
        found = lists.get(local_name(group))
        if found is None:
            continue
        found += (_address(inner) for inner in group if local_name(inner) in ADDRESS_KINDS)
        if len(found) > MAX_RECIPIENTS:
            raise Mm7Error(f"over {MAX_RECIPIENTS} recipients")
    return Recipients(*(tuple(found) for found in lists.values()))


def _write_recipients(name: str, value: Recipients) -> str:
    groups = zip(("To", "Cc", "Bcc"), value, strict=True)
    return tag(name, "".join(tag(group, "".join(map(_spell_address, some))) for group, some in groups if some))


def _read_sender(element: Element) -> SenderIdentification:
    address = child(element, "SenderAddress")
    return SenderIdentification(
        text_of(child(element, "VASPID")),
        text_of(child(element, "VASID")),
        _read_address(address) if address is not None else None,
    )


def _write_sender(name: str, value: SenderIdentification) -> str:
    out = "".join(tag(n, escape(v)) for n, v in (("VASPID", value.vasp_id), ("VASID", value.vas_id)) if v)
    if value.address is not None:
        out += tag("SenderAddress", _spell_address(value.address))
    return tag(name, out)


def _read_status(element: Element) -> Status:
    details = child(element, "Details")
    said = " ".join(" ".join(details.itertext()).split()) if details is not None else ""
    return Status(_integer(text_of(child(element, "StatusCode"))), text_of(child(element, "StatusText")), said)


def _write_status(name: str, value: Status) -> str:
    out = tag("StatusCode", str(value.code)) + tag("StatusText", escape(value.text))
    return tag(name, out + (tag("Details", escape(value.details)) if value.details else ""))


def _read_content(element: Element) -> Content:
    return Content(attribute_of(element, "href"), boolean(attribute_of(element, "allowAdaptations")))


def _write_content(name: str, value: Content) -> str:
    return tag(name, "", (("href", value.href), ("allowAdaptations", _spelled(value.allow_adaptations))))


def _read_charging(element: Element) -> ReplyCharging:
    size = attribute_of(element, "replyChargingSize")
    return ReplyCharging(_integer(size) if size else None, attribute_of(element, "replyDeadline"))


def _write_charging(name: str, value: ReplyCharging) -> str:
    size = "" if value.size is None else str(value.size)
    return tag(name, "", (("replyChargingSize", size), ("replyDeadline", value.deadline)))


def _read_capabilities(element: Element) -> UaCapabilities:
    def said(name: str) -> str:
        return attribute_of(element, name) or text_of(child(element, name))

    return UaCapabilities(said("UAProf"), said("TimeStamp") or said("UATimeStamp"))


def _write_capabilities(name: str, value: UaCapabilities) -> str:
    return tag(name, "", (("UAProf", value.ua_prof), ("TimeStamp", value.timestamp)))


def _read_steps(element: Element) -> tuple[Step, ...]:
    found = [_step(inner) for inner in element]
    if len(found) > MAX_RECIPIENTS:
        raise Mm7Error("too long a way")
    return tuple(found)


def _step(element: Element) -> Step:
    sequence = attribute_of(element, "sequence")
    dated = local_name(element) == "DateTime"
    value = text_of(element) if dated else _read_address(element) or ""
    return Step(_integer(sequence) if sequence else 0, value)


def _write_steps(name: str, value: tuple[Step, ...]) -> str:
    return tag(name, "".join(map(_spell_step, value)))


def _spell_step(step: Step) -> str:
    sequence = (("sequence", str(step.sequence)),)
    if isinstance(step.value, Address):
        return tag("UserAgent", _spell_address(step.value), sequence)
    return tag("DateTime", escape(step.value), sequence)


def _read_conditions(element: Element) -> tuple[str, ...]:
    return tuple(text_of(inner) for inner in element if local_name(inner) == "DC")


def _write_conditions(name: str, value: tuple[str, ...]) -> str:
    return tag(name, "".join(tag("DC", escape(condition)) for condition in value))


_TEXT = Kind(text_of, lambda name, value: tag(name, escape(value)))
_BOOL = Kind(lambda element: boolean(text_of(element)), lambda name, value: tag(name, _spelled(value)))
_ADDRESS = Kind(_read_address, lambda name, value: tag(name, _spell_address(value)))
_RECIPIENTS = Kind(_read_recipients, _write_recipients)
_SENDER = Kind(_read_sender, _write_sender)
_STATUS = Kind(_read_status, _write_status)
_CONTENT = Kind(_read_content, _write_content)
_CHARGING = Kind(_read_charging, _write_charging)
_CAPABILITIES = Kind(_read_capabilities, _write_capabilities)
_STEPS = Kind(_read_steps, _write_steps)
_CONDITIONS = Kind(_read_conditions, _write_conditions)

_IDENTIFIED = Slot("SenderIdentification", "sender", _SENDER)
_APPLICATION = (
    Slot("ApplicID", "applic_id", _TEXT),
    Slot("ReplyApplicID", "reply_applic_id", _TEXT),
    Slot("AuxApplicInfo", "aux_applic_info", _TEXT),
)
_RELAY = Slot("MMSRelayServerID", "relay_server_id", _TEXT)
_MESSAGE_ID = Slot("MessageID", "message_id", _TEXT, True)
_REPORTED = (
    _RELAY,
    _MESSAGE_ID,
    Slot("Recipient", "recipient", _ADDRESS, True),
    Slot("Sender", "sender", _ADDRESS, True),
)
_MM_STATUS = Slot("MMStatus", "mm_status", _TEXT, True)
_STATUS_TEXT = Slot("StatusText", "status_text", _TEXT)
_SERVICE_CODE = Slot("ServiceCode", "service_code", _TEXT)
_TIMESTAMP = Slot("TimeStamp", "timestamp", _TEXT)
_EARLIEST = Slot("EarliestDeliveryTime", "earliest_delivery", _TEXT)
_DISTRIBUTION = Slot("DistributionIndicator", "distribution_indicator", _BOOL)
_CONTENT_SLOT = Slot("Content", "content", _CONTENT)
_READ_REPLY = Slot("ReadReply", "read_reply", _BOOL)
_EXPIRY = Slot("ExpiryDate", "expiry", _TEXT)
_CLASS = Slot("MessageClass", "message_class", _TEXT)
_REPORT = Slot("DeliveryReport", "delivery_report", _BOOL)
_PRIORITY_SUBJECT = (Slot("Priority", "priority", _TEXT), Slot("Subject", "subject", _TEXT))

SLOTS: MappingProxyType[str, tuple[Slot, ...]] = MappingProxyType(
    {
        "SubmitReq": (
            _IDENTIFIED,
            Slot("Recipients", "recipients", _RECIPIENTS, True),
            _SERVICE_CODE,
            Slot("LinkedID", "linked_id", _TEXT),
            _CLASS,
            _TIMESTAMP,
            Slot("ReplyCharging", "reply_charging", _CHARGING),
            _EARLIEST,
            _EXPIRY,
            _REPORT,
            _READ_REPLY,
            *_PRIORITY_SUBJECT,
            Slot("ChargedParty", "charged_party", _TEXT),
            Slot("ChargedPartyID", "charged_party_id", _TEXT),
            _DISTRIBUTION,
            Slot("DeliveryCondition", "delivery_condition", _CONDITIONS),
            *_APPLICATION,
            Slot("ContentClass", "content_class", _TEXT),
            Slot("DRMContent", "drm_content", _BOOL),
            _CONTENT_SLOT,
        ),
        "DeliverReq": (
            _RELAY,
            Slot("VASPID", "vasp_id", _TEXT),
            Slot("VASID", "vas_id", _TEXT),
            Slot("LinkedID", "linked_id", _TEXT),
            Slot("Sender", "sender", _ADDRESS, True),
            Slot("Recipients", "recipients", _RECIPIENTS),
            Slot("Previouslysentby", "previously_sent_by", _STEPS),
            Slot("Previouslysentdateandtime", "previously_sent_date", _STEPS),
            Slot("SenderSPI", "sender_spi", _TEXT),
            Slot("RecipientSPI", "recipient_spi", _TEXT),
            _TIMESTAMP,
            Slot("ReplyChargingID", "reply_charging_id", _TEXT),
            *_PRIORITY_SUBJECT,
            *_APPLICATION,
            Slot("UACapabilities", "ua_capabilities", _CAPABILITIES),
            _CONTENT_SLOT,
        ),
        "DeliveryReportReq": (
            *_REPORTED,
            Slot("Date", "date", _TEXT),
            _MM_STATUS,
            Slot("MMStatusExtension", "mm_status_extension", _TEXT),
            _STATUS_TEXT,
            *_APPLICATION,
            Slot("UACapabilities", "ua_capabilities", _CAPABILITIES),
        ),
        "ReadReplyReq": (*_REPORTED, _TIMESTAMP, _MM_STATUS, _STATUS_TEXT, *_APPLICATION),
        "CancelReq": (_IDENTIFIED, _MESSAGE_ID, *_APPLICATION),
        "extendedCancelReq": (_IDENTIFIED, Slot("CancelID", "cancel_id", _TEXT, True)),
        "ReplaceReq": (
            _IDENTIFIED,
            _MESSAGE_ID,
            _SERVICE_CODE,
            _TIMESTAMP,
            _READ_REPLY,
            _EARLIEST,
            _DISTRIBUTION,
            *_APPLICATION,
            _CONTENT_SLOT,
        ),
        "extendedReplaceReq": (
            _IDENTIFIED,
            Slot("Recipients", "recipients", _RECIPIENTS),
            Slot("ReplaceID", "replace_id", _TEXT, True),
            _SERVICE_CODE,
            _CLASS,
            _TIMESTAMP,
            _EARLIEST,
            _EXPIRY,
            _REPORT,
            _READ_REPLY,
            *_PRIORITY_SUBJECT,
            Slot("ChargedParty", "charged_party", _TEXT),
            _DISTRIBUTION,
            _CONTENT_SLOT,
        ),
    }
)
RESPONSE_SLOTS = (
    Slot("Status", "status", _STATUS, True),
    Slot("MessageID", "message_id", _TEXT),
    _SERVICE_CODE,
)
