"""data_coding: how the octets of a short message are read (SMPP 3.4 §5.2.19; TS 23.038 §4 for the others)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from opencpm.protocols.gsm import national, packing, ucs2
from opencpm.protocols.gsm.dcs import UNREADABLE, Content, scheme_of
from opencpm.protocols.gsm.udh import EMPTY, Header

DefaultAlphabet = Literal["gsm7", "gsm7-packed", "latin1", "ascii"]


class Alphabet(Enum):
    """What the octets are."""

    DEFAULT = "the SMSC's default alphabet"
    GSM7 = "GSM 7-bit, unpacked"
    ASCII = "ASCII"
    LATIN1 = "ISO-8859-1"
    UCS2 = "UTF-16"
    BINARY = "8-bit data"
    OTHER = "another character set"
    COMPRESSED = "compressed text"


_CHARSETS = {0x05: "shift_jis", 0x06: "iso8859-5", 0x07: "iso8859-8", 0x0A: "iso2022_jp", 0x0E: "euc_kr"}
_SIMPLE = {
    0x00: Alphabet.DEFAULT,
    0x01: Alphabet.ASCII,
    0x02: Alphabet.BINARY,
    0x03: Alphabet.LATIN1,
    0x04: Alphabet.BINARY,
    0x08: Alphabet.UCS2,
}
_OF_SCHEME = {
    Content.GSM7: Alphabet.GSM7,
    Content.DATA: Alphabet.BINARY,
    Content.UCS2: Alphabet.UCS2,
    Content.COMPRESSED: Alphabet.COMPRESSED,
}


def alphabet_of(data_coding: int) -> Alphabet:
    """What a data_coding value says; GSM data coding schemes that peers pass through are understood as well."""
    if data_coding in _SIMPLE:
        return _SIMPLE[data_coding]
    if data_coding in _CHARSETS:
        return Alphabet.OTHER
    if data_coding < 0x10:
        return Alphabet.BINARY
    return _OF_SCHEME[scheme_of(data_coding).content]


@dataclass(frozen=True, slots=True)
class Decoder:
    """The habits of one peer. ``ascii_may_be_gsm7``: it sends GSM 7-bit under data_coding 01h (told by
    octets that are no ASCII text)."""

    default: DefaultAlphabet = "gsm7"
    little_endian: bool = False
    ascii_may_be_gsm7: bool = True

    def decode(self, data_coding: int, parts: Sequence[bytes], header: Header = EMPTY) -> str | None:
        """The text of all parts of a message; None for data that is no text."""
        kind = alphabet_of(data_coding)
        if kind is Alphabet.BINARY:
            return None
        if kind is Alphabet.UCS2:  # joined first: a surrogate pair may be cut in two
            return ucs2.decode(b"".join(parts), little_endian=self.little_endian)
        if kind is Alphabet.COMPRESSED:
            return UNREADABLE
        if kind is Alphabet.OTHER:
            return b"".join(parts).decode(_CHARSETS[data_coding], "replace")
        return "".join([self._decode_part(kind, part, header) for part in parts])

    def _decode_part(self, kind: Alphabet, octets: bytes, header: Header) -> str:
        if kind is Alphabet.LATIN1:
            return octets.decode("latin-1")
        if kind is Alphabet.ASCII and not (self.ascii_may_be_gsm7 and _is_gsm7(octets)):
            return octets.decode("latin-1")
        if kind is Alphabet.DEFAULT and self.default in ("latin1", "ascii"):
            return octets.decode("latin-1")
        if kind is Alphabet.DEFAULT and self.default == "gsm7-packed":
            octets = packing.unpack(octets, 8 * len(octets) // 7)
        return national.alphabet(header.single_shift, header.locking_shift).decode(octets)


_PLAIN = bytes(range(0x20, 0x100)) + b"\n\r\t"


def _is_gsm7(octets: bytes) -> bool:
    """Whether octets under data_coding 01h are no ASCII text but GSM 7-bit: an ESC or a code no text has."""
    return bool(octets.translate(None, _PLAIN)) and max(octets) < 0x80
