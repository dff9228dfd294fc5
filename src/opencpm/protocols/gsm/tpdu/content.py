"""User data: the header and what follows it, packed as the data coding scheme says (3GPP TS 23.040 §9.2.3.16, 24)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.protocols.gsm import national, packing, ucs2, udh
from opencpm.protocols.gsm.dcs import Content, scheme_of
from opencpm.protocols.gsm.udh import Header

from .errors import TpduError
from .reader import Reader

_MOST_OCTETS = 140
_MOST_SEPTETS = 160


class UserData(NamedTuple):
    """``content``: unpacked septets of the GSM alphabet, or octets. ``header`` with its length octet, empty if none."""

    content: bytes = b""
    header: bytes = b""


def encode(data: UserData, dcs: int) -> bytes:
    """UDL and UD. Raises TpduError for more than a short message holds."""
    header, content = data.header, data.content
    if scheme_of(dcs).content is not Content.GSM7:
        if len(header) + len(content) > _MOST_OCTETS:
            raise TpduError("more than 140 octets of user data")
        return bytes((len(header) + len(content),)) + header + content
    fill = packing.fill_bits(len(header))
    count = (8 * len(header) + fill) // 7 + len(content)
    if count > _MOST_SEPTETS:
        raise TpduError("more than 160 septets of user data")
    return bytes((count,)) + header + packing.pack(content, fill)


def decode(reader: Reader, dcs: int, has_header: bool) -> UserData:
    """Take UDL and UD. Raises TpduError when they do not agree; compressed text is refused."""
    length = reader.octet()
    if dcs >> 6 == 0 and dcs & 0x20:
        raise TpduError("compressed text", 0x9F)
    packed = scheme_of(dcs).content is Content.GSM7
    if length > (_MOST_SEPTETS if packed else _MOST_OCTETS):
        raise TpduError("user data longer than a short message")
    octets = reader.take((7 * length + 7) // 8 if packed else length)
    header = octets[: octets[0] + 1] if has_header and octets else b""
    if not packed:
        return UserData(octets[len(header) :], header)
    fill = packing.fill_bits(len(header))
    count = max(0, length - (8 * len(header) + fill) // 7)
    return UserData(packing.unpack(octets[len(header) :], count, fill), header)


def text_of(dcs: int, parts: Sequence[bytes], header: Header = udh.EMPTY) -> str | None:
    """The text of all parts of a message; None for data that is no text."""
    kind = scheme_of(dcs).content
    if kind is Content.DATA:
        return None
    if kind is Content.UCS2:
        return ucs2.decode(b"".join(parts))
    table = national.alphabet(header.single_shift, header.locking_shift)
    return "".join([table.decode(part) for part in parts])
