"""What became of a message. A report always says who claims it; none is ever invented."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError


class Status(StrEnum):
    """Distinct steps, in the order they are reached. Only DELIVERED and later are final for a delivery."""

    SUBMITTED = "submitted"  # handed to the network's link, no answer yet
    ACCEPTED = "accepted"  # the network took it (submit_sm_resp, MSN ACK): IMDN "interworking"
    PENDING = "pending"  # the network says it is still trying (ENROUTE, ACCEPTD)
    DELIVERED = "delivered"  # on the receiver's device
    DISPLAYED = "displayed"  # seen by the receiver; implies delivered
    FAILED = "failed"  # final: not delivered
    UNKNOWN = "unknown"  # final: nothing was heard in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One name under which a network knows (a segment of) a delivery; stored with the outcome.

    Several references may name the same segment (hex, decimal, without zeros). A ``weak`` one comes from a
    conversion that can collide: it matches only if the report's ``check`` equals this ``check``
    (last seven digits of the receiver's number).
    """

    key: str
    segment: int = 0  # 0-based
    segments: int = 1
    weak: bool = False
    check: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A claim about a delivery, made by ``source`` at ``at`` (seconds since the epoch).

    What it is about is named in exactly one of three ways: ``delivery_id``; or ``key`` (with ``check``), a
    :class:`Reference` key within ``network``; or ``message_id`` with ``reporter`` and ``original_sender``
    (a disposition notification: ``reporter`` says it of the message that ``original_sender`` sent).
    """

    status: Status
    network: str  # name of the connector that heard it
    source: str  # who says so, for the trail: "SMSC receipt", "device", "switchboard ACK", "this server"
    at: float
    delivery_id: str = ""
    key: str = ""
    check: str = ""
    message_id: str = ""
    reporter: Address | None = None
    original_sender: Address | None = None
    error: SendError | None = None
    detail: str = ""  # for the operator: "stat:DELIVRD err:000"
