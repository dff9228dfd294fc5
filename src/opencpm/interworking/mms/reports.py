"""What MMS centres and phones say of a message, in neutral words (MMStatus of MM7, MM4 and MM1 alike). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message
from opencpm.domain.report import Status
from opencpm.protocols.mms import report

from .settings import MmsSettings

_FAILED: Final[Mapping[str, tuple[Reason, str]]] = {
    "expired": (Reason.EXPIRED, "the phone did not fetch the message in time"),
    "rejected": (Reason.REJECTED, "the phone or its owner refused the message"),
    "unsupported": (Reason.UNSUPPORTED_MEDIA, "the phone cannot show the message"),
}
_ASKS_DELIVERY: Final = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY


def delivery_said(status: str) -> tuple[Status, SendError | None]:
    """The claim of a delivery report. Only what is final fails: Forwarded, Deferred, Indeterminate and words that
    nobody knows are pending."""
    said = report.outcome(status)
    if said.state == "delivered":
        return Status.DELIVERED, None
    if not said.final:
        return Status.PENDING, None
    reason, detail = _FAILED.get(said.reason, (Reason.UNDELIVERABLE, "the MMS network could not deliver the message"))
    return Status.FAILED, SendError(reason, detail=detail, code=f"MMStatus {status[:40]}")


def read_said(status: str, settings: MmsSettings) -> Status:
    """The claim of a read report: displayed only where it may be believed; "deleted" never is."""
    read = report.was_read(status) is True and settings.read_to_display
    return Status.DISPLAYED if read else Status.PENDING


def asks_delivery(message: Message, settings: MmsSettings) -> bool:
    """Whether a delivery report is asked for."""
    if settings.delivery_reports == "asked":
        return bool(message.wants & _ASKS_DELIVERY)
    return settings.delivery_reports == "always"


def asks_read(message: Message, settings: MmsSettings) -> bool:
    """Whether a read report is asked for."""
    return settings.read_reports == "asked" and bool(message.wants & Disposition.DISPLAY)


def wants(delivery: bool | None, read: bool | None) -> Disposition:
    """What a phone that asks for these reports wants to be told."""
    asked = _ASKS_DELIVERY if delivery else Disposition.NONE
    return asked | Disposition.DISPLAY if read else asked
