"""One message to one recipient: what the outbox holds and what connectors carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.report import Reference, Status


class DeliveryState(StrEnum):
    """Where a delivery stands: two kinds of work, one that waits for a receipt, and the final ones."""

    QUEUED = "queued"  # waits for its time (deferred, or a retry)
    SENDING = "sending"  # leased to a connector
    ACCEPTED = "accepted"  # the network has it
    DELIVERED = "delivered"
    DISPLAYED = "displayed"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # the network took it and never reported


FINAL = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.DISPLAYED,
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
        DeliveryState.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A disposition to be told to the original sender: the content of a delivery that carries an IMDN (RFC 5438)."""

    message_id: str  # the original message's imdn.Message-ID
    original_sent_at: float  # its DateTime
    recipient: Address  # whose copy this is about (recipient-uri)
    status: Status
    network: str = ""  # for ACCEPTED: the kind of network that took it (Profile.kind: "sms", "im")
    reason: str = ""  # for FAILED: what the user may read
    cause: str = ""  # for FAILED: its Reason value


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to bring ``message`` (or, where ``notice`` is set, word of what became of it) to ``target``.

    ``id`` is stable over all attempts; every id on a wire is derived from it, so a resend after a crash carries
    the same ids. ``source`` and ``target`` are addresses on ``network``. ``token`` fences the attempt: an outcome
    with an older token is ignored. Give up and say so before ``deadline``; never deliver after ``expires_at``.
    """

    id: str
    message: Message
    recipient: Address  # as the sender wrote it
    network: str  # the connector's name
    source: Address
    target: Address
    attempt: int  # from 1
    token: int
    deadline: float
    expires_at: float
    notice: Notice | None = None
    max_segments: int = 0  # 0: no limit but the network's own


class OutcomeKind(StrEnum):
    ACCEPTED = "accepted"  # the network took it; a report may follow
    DELIVERED = "delivered"  # the receiver's device itself answered (SIP 2xx from a device, MSRP 200)
    FAILED = "failed"  # see error; if error.retryable, messaging decides on when and where


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended. Exactly one per (delivery id, token)."""

    delivery_id: str
    token: int
    kind: OutcomeKind
    at: float
    source: str  # who says so: "submit_sm_resp", "SIP 200 from device", "switchboard ACK"
    references: tuple[Reference, ...] = ()
    error: SendError | None = None
    doubled: bool = False  # an earlier attempt may have arrived as well
    detail: str = ""
    losses: tuple[str, ...] = ()  # what the receiver did not get, or not as it was: sentences for the sender
