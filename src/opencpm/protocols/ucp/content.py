"""What a message of the 50 series says: its octets, how they are coded, and the user data header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from opencpm.protocols.gsm import alphabet, national, packing, ucs2
from opencpm.protocols.gsm.dcs import UNREADABLE, Content, scheme_of
from opencpm.protocols.gsm.udh import EMPTY, Header

from . import hexadecimal, xser
from .errors import UcpError
from .operations import Message

AMsg = Literal["gsm", "ira"]
"""What the codes of AMsg mean to a centre: the GSM default alphabet, or plain IRA (ASCII) at older ones."""

UCS2 = 0x08
DATA = 0x04
MAX_OCTETS = 700  # 640 characters of UCP 4.0, and room
_ESCAPES = bytes((alphabet.ESCAPE,))


class UserData(NamedTuple):
    """``octets`` are unpacked septets where ``dcs`` says GSM 7-bit; ``header`` includes its length octet."""

    octets: bytes = b""
    dcs: int = 0
    header: bytes = b""


def is_ira(septets: bytes) -> bool:
    """Whether septets mean the same characters to a centre of either kind."""
    return septets.isascii() and _ESCAPES not in septets and alphabet.decode(septets) == septets.decode("ascii")


def with_content(message: Message, data: UserData) -> Message:
    """The message with MT, NB, content and XSer set: GSM 7-bit as MT 3, all else as MT 4."""
    services: list[xser.Service] = [(xser.UDH, data.header)] if data.header else []
    if scheme_of(data.dcs).content is Content.GSM7:
        if data.dcs:
            services.append((xser.DCS, bytes((data.dcs,))))
        return message._replace(mt="3", msg=hexadecimal.encode(data.octets), xser=xser.encode(services))
    services.append((xser.DCS, bytes((data.dcs,))))
    return message._replace(
        mt="4",
        nb=f"{8 * len(data.octets):04}",
        msg=hexadecimal.encode(data.octets),
        xser=xser.encode(services),
    )


def content_of(message: Message, amsg: AMsg = "gsm") -> UserData:
    """What a message carries. Raises UcpError for what cannot be read."""
    services = xser.decode(message.xser)
    header = xser.value_of(services, xser.UDH) or b""
    named = xser.value_of(services, xser.DCS)
    if message.mt == "4":
        return _transparent(message, named[0] if named else DATA, header)
    if message.mt == "2" or (not message.mt and not message.msg):
        return UserData(message.msg.encode("ascii", "replace"), 0, header)
    if message.mt != "3":
        raise UcpError(f"message type {message.mt[:4]!r}", 23)
    octets = _bounded(hexadecimal.decode(message.msg))
    if amsg == "ira":
        octets = alphabet.encode(octets.decode("latin-1")) or octets
    return UserData(octets, 0, header)


def _transparent(message: Message, dcs: int, header: bytes) -> UserData:
    octets = _bounded(hexadecimal.decode(message.msg))
    if scheme_of(dcs).content is not Content.GSM7:
        return UserData(octets, dcs, header)
    fill = packing.fill_bits(len(header)) if header else 0
    bits = (
        int(message.nb) if message.nb.isascii() and message.nb.isdecimal() and len(message.nb) < 6 else 8 * len(octets)
    )
    return UserData(packing.unpack(octets, (bits - fill) // 7, fill), dcs, header)


def _bounded(octets: bytes) -> bytes:
    if len(octets) > MAX_OCTETS:
        raise UcpError("a message that is too long", 24)
    return octets


def text_of(dcs: int, parts: Sequence[bytes], header: Header = EMPTY) -> str | None:
    """The text of all parts of a message; None for data that is no text."""
    kind = scheme_of(dcs).content
    if kind is Content.DATA:
        return None
    if kind is Content.COMPRESSED:
        return UNREADABLE
    if kind is Content.UCS2:  # joined first: a surrogate pair may be cut in two
        return ucs2.decode(b"".join(parts))
    letters = national.alphabet(header.single_shift, header.locking_shift)
    return "".join([letters.decode(part) for part in parts])
