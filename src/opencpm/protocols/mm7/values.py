"""The structured values of MM7 elements."""

from __future__ import annotations

from typing import NamedTuple

NUMBER, MAIL, SHORT_CODE = "Number", "RFC2822Address", "ShortCode"
ADDRESS_KINDS = (NUMBER, MAIL, SHORT_CODE)


class Address(NamedTuple):
    """An address of one of ADDRESS_KINDS."""

    kind: str
    value: str
    display_only: bool = False
    """To be shown, not delivered to."""
    coding: str = ""
    """addressCoding: obfuscated or encrypted; such an address is opaque and echoed."""
    id: str = ""


class Recipients(NamedTuple):
    """Whom the message goes to."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()


class SenderIdentification(NamedTuple):
    """Who the value-added service is, by contract, and the address it sends as."""

    vasp_id: str = ""
    vas_id: str = ""
    address: Address | None = None


NO_RECIPIENTS = Recipients()
NO_SENDER = SenderIdentification()


class Status(NamedTuple):
    """A StatusCode (0: none was given), its text and details."""

    code: int
    text: str = ""
    details: str = ""


NO_STATUS = Status(0)


class Content(NamedTuple):
    """Where the content is: the Content-ID of a part, with or without `cid:`."""

    href: str
    allow_adaptations: bool | None = None


class ReplyCharging(NamedTuple):
    """The sender pays for the reply: up to so many octets, until a date or for a duration."""

    size: int | None = None
    deadline: str = ""


class UaCapabilities(NamedTuple):
    """A reference to the profile of the phone."""

    ua_prof: str = ""
    timestamp: str = ""


class Step(NamedTuple):
    """One step of a forwarded message's way: an address or a date, by number."""

    sequence: int
    value: Address | str
