"""Mailboxes of our users, both ways (RFC 4356 §2.1.3.2). Pure."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.domain.address import Address, AddressError
from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.mm4.address import PLMN, parse_address

from .settings import Mm3Settings


def mailbox(address: Address, settings: Mm3Settings) -> str:
    """How a user of ours is written in mail. Raises SendError."""
    domain = settings.domain.lower()
    if address.scheme == "tel":
        typed = "/TYPE=PLMN" if settings.number_form == "typed" else ""
        return f"{address.value}{typed}@{domain}"
    user, _, host = address.value.partition("@")
    ours = {domain, (settings.user_domain or domain).lower()}
    if address.scheme in ("sip", "mailto") and host.lower() in ours and _plain(user):
        return f"{user}@{domain}"
    raise SendError(Reason.INVALID_SOURCE, detail=f"{address} has no mailbox here; the operator can give you one")


def _plain(user: str) -> bool:
    try:
        Address.parse(f"mailto:{user}@x")
    except AddressError:
        return False
    return True


def meant(text: str, settings: Mm3Settings, owned: Callable[[Address], bool]) -> Address | None:
    """Whose mailbox it is; None: nobody's here."""
    found = parse_address(text)
    if found.domain.lower() != settings.domain.lower():
        return None
    candidates: list[Address] = []
    if found.type == PLMN:
        number = found.value if found.value.startswith("+") or len(found.value) < 7 else f"+{found.value}"
        candidates.append(Address("tel", number))
    user = text.rpartition("@")[0].strip("<>").strip()
    candidates.append(Address("mailto", f"{user}@{settings.domain}".lower()))
    candidates.append(Address("sip", f"{user}@{(settings.user_domain or settings.domain).lower()}"))
    candidates.append(Address("sip", f"{user.lower()}@{(settings.user_domain or settings.domain).lower()}"))
    return next((one for one in candidates if owned(one)), None)
