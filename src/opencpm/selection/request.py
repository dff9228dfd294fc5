"""What selection is asked: everything it may know, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.message import Message
from opencpm.domain.number import NO_FACTS, NumberFacts
from opencpm.domain.policy import Policy
from opencpm.domain.profile import WHOLE, Fit, Health, Profile, Reach
from opencpm.domain.subscriber import Subscriber


class NetworkView(NamedTuple):
    """One connector as selection sees it. ``target`` is the receiver's address there, None if they have none; ``facts``
    are about it, where it is a number.
    """

    name: str
    profile: Profile
    health: Health
    target: Address | None
    reach: Reach
    fit: Fit = WHOLE
    linked: Fit | None = None  # how a text with a link to the message would go; None: there are no links
    facts: NumberFacts = NO_FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One attempt to find a way for a message, or (``session``) for an invitation.

    ``sender``/``recipient`` are set where that side is a subscriber of ours. ``contact`` is the receiver as the
    sender knows them, or the sender as the receiver knows them when only the receiver is ours.
    """

    now: float
    sender_address: Address
    recipient_address: Address
    sender: Subscriber | None
    recipient: Subscriber | None
    contact: Contact
    networks: tuple[NetworkView, ...]
    policy: Policy
    message: Message | None = None  # None for an invitation
    session: bool = False
    route: str = ""  # the sender's explicit choice
    sticky: str = ""  # the network the other side last used in this conversation
    tried: frozenset[str] = frozenset()  # networks that refused this delivery for good
    attempt: int = 1
    expires_at: float = 0.0  # 0: the operator's default
    blocked: bool = False  # the receiver (a subscriber) has blocked the sender; see also contact.blocked
