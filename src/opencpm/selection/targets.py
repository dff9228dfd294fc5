"""Where a person is found on a network."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.policy import Policy
from opencpm.domain.profile import Profile
from opencpm.selection.numbers import canonical
from opencpm.selection.routes import operator


def target_on(
    profile: Profile, name: str, recipient: Address, contact: Contact, policy: Policy, owned: bool
) -> Address | None:
    """The receiver's address on a network, or None if they have none there that we know of.

    The address itself if the network knows its scheme, else one of the contact's. An alias (``sip:bob@msn.test``,
    ``im:bob@msn.test``) belongs to the network that the operator's table of domains names; an ``im:`` address of a
    domain that is not in the table may be on any instant messaging network.

    :param owned: whether the address is one of our subscribers'; access connectors reach these and nobody else.
    """
    if profile.access:
        return recipient if owned else None
    found = _on(profile, name, recipient, policy)
    if found is not None:
        return found
    for address in contact.addresses:
        if address != recipient and (found := _on(profile, name, address, policy)) is not None:
            return found
    return None


def domain_of(address: Address) -> str:
    """What follows the ``@``; empty where there is none."""
    return address.value.rpartition("@")[2] if "@" in address.value else ""


def _on(profile: Profile, name: str, address: Address, policy: Policy) -> Address | None:
    scheme = address.scheme
    if scheme in profile.schemes:
        return _number(address, policy) if scheme == "tel" else address
    if scheme in ("sip", "im"):
        return _alias(profile, name, address, policy)
    return None


def _number(address: Address, policy: Policy) -> Address | None:
    if address.value[0] == "+":  # the usual case; whether it can exist is a rule of selection, with a reason
        return address
    number = canonical(address.value, policy.home_region)
    return None if number is None else Address("tel", number)


def _alias(profile: Profile, name: str, address: Address, policy: Policy) -> Address | None:
    network = operator(policy).domains.get(domain_of(address))
    if network is None:
        anywhere = address.scheme == "im" and profile.kind == "im" and "@" in address.value
        network = name if anywhere else None
    if network != name:
        return None
    scheme = min(profile.schemes - {"tel"}, default=None)
    return None if scheme is None else Address(scheme, address.value.lower())
