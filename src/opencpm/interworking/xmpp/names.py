"""Our people as XMPP users see them, and XMPP users as we name them (RFC 7247 §5, behind a component).

``sip:alice@cpm.test`` is ``alice@<component>``, ``tel:+12025550100`` is ``+12025550100@<component>``, and what has
another domain keeps it in its local part: ``carol\\40else.test@<component>`` (XEP-0106).
"""

from __future__ import annotations

import re
from collections import OrderedDict

from opencpm.domain.address import Address
from opencpm.interfaces import Directory
from opencpm.protocols.xmpp import jid
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.jid import Jid

from . import reasons

_NUMBER = re.compile(r"\+?[0-9*#]{1,20}\Z")
_REMEMBERED = 100_000


class Names:
    def __init__(self, component: str, users_domain: str, directory: Directory) -> None:
        self.component = component
        self._users_domain = users_domain
        self._directory = directory
        self._faces: OrderedDict[tuple[str, str], str] = OrderedDict()

    # -- ours

    def ours(self, address: Address, peer: str) -> str:
        """The bare JID under which a person of ours talks to ``peer``: the one that they last wrote to, else that of
        the person's first address, so that a person stays one contact whatever device they use. Raises SendError."""
        owner = self._directory.owner_of(address)
        if owner is None:
            return self._jid(address, "")
        known = self._faces.get((owner.id, peer))
        return known or self._jid(owner.on("sip") or address, owner.id)

    def address(self, ours: Jid) -> Address:
        """Who of us is meant by a JID in our domain; an address that nobody has where nobody is."""
        local = jid.unescape(ours.local)
        if "@" not in local and "%" in local:
            user, _, host = local.rpartition("%")  # as old gateways write it
            local = f"{user}@{host}"
        if "@" in local:
            user, _, host = local.rpartition("@")
            return Address("sip", f"{user}@{host.lower()}")
        return self._of_ours(local) or self._of_nobody_known(local)

    def _of_ours(self, local: str) -> Address | None:
        if self._users_domain:
            address = Address("sip", f"{local}@{self._users_domain}")
            return address if self._directory.owner_of(address) is not None else None
        known = self._directory.subscriber(local)
        return None if known is None else known.on("sip") or known.addresses[0]

    def _of_nobody_known(self, local: str) -> Address:
        if _NUMBER.match(local):
            return Address("tel", local)
        return Address("sip", f"{local}@{self._users_domain or self.component}")

    def met(self, ours: Jid, peer: str) -> Address:
        """The same, of somebody whom ``peer`` wrote to; remembered for what is written back."""
        address = self.address(ours)
        owner = self._directory.owner_of(address)
        if owner is not None:
            self._faces[owner.id, peer] = ours.bare
            self._faces.move_to_end((owner.id, peer))
            if len(self._faces) > _REMEMBERED:
                self._faces.popitem(last=False)
        return address

    def _jid(self, address: Address, owner: str) -> str:
        local = address.value
        if address.scheme == "sip":
            user, _, host = address.value.rpartition("@")
            if user and (host == self._users_domain or (not self._users_domain and user == owner)):
                local = user
        elif address.scheme != "tel":
            raise reasons.no_source(str(address))
        try:
            return jid.parse(f"{jid.escape(local)}@{self.component}").bare
        except XmppError:
            raise reasons.no_source(str(address)) from None

    # -- theirs

    def theirs(self, address: Address) -> str:
        """The bare JID of an XMPP user. Raises SendError for what is none, and for one of our own."""
        try:
            known = jid.parse(address.value)
        except XmppError:
            known = None
        if known is None or not known.local or known.resource or known.domain == self.component:
            raise reasons.no_address(address.value)
        return known.bare

    def person(self, theirs: Jid) -> Address:
        return Address("xmpp", theirs.bare)
