"""Typing: relayed to whoever is there, never stored."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.profile import Availability
from opencpm.domain.session import Composing
from opencpm.messaging.ground import Ground


def tell_page(ground: Ground, sender: Address, recipient: Address, composing: Composing) -> None:
    """Tell the receiver's open pages that the sender is typing."""
    _, thread = ground.threads(sender, recipient)
    if thread:
        owner, _, peer = thread.partition("|")
        ground.bus.publish(f"user:{owner}", {"type": "composing", "peer": peer, "active": composing.active})


def relay(ground: Ground, sender: Address, recipient: Address, composing: Composing) -> None:
    """Typing outside a session: to the subscriber's devices that are online; dropped for everybody else."""
    tell_page(ground, sender, recipient, composing)
    owner = ground.directory.owner_of(recipient)
    if owner is None:
        return
    for connector in ground.connectors.values():
        takes_it = connector.profile.access and connector.profile.typing
        if takes_it and connector.reach(owner.id, recipient).availability is Availability.AVAILABLE:
            connector.composing(sender, recipient, composing)
