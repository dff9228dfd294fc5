"""Ids and addresses, pure: on the wire people have an id, elsewhere an address with the service's domain."""

from __future__ import annotations

import re

from opencpm.domain.address import Address
from opencpm.interworking.yahoo import reasons

SCHEME = "yahoo"
_ID = re.compile(r"[^\s\x00-\x20\x7f,:;<>\"]{1,96}\Z")


class Names:
    """``domain``: what follows the ids here; an id may also be a mail address of another domain."""

    def __init__(self, domain: str) -> None:
        self._tail = f"@{domain}"

    def address(self, user: str) -> Address:
        """Somebody's address."""
        return Address(SCHEME, user if "@" in user else f"{user}{self._tail}")

    def user(self, value: str) -> str:
        """The id of an address. Raises SendError where it cannot be one."""
        user = value.lower().removesuffix(self._tail)
        if not possible(user):
            raise reasons.unknown(value[:60])
        return user


def possible(user: str) -> bool:
    """Whether something can be an id: servers may say anything."""
    return _ID.match(user) is not None and user.isprintable()
