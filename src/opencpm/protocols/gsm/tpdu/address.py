"""Addresses (3GPP TS 23.040 §9.1.2.5): type of number, numbering plan, digits in swapped halves."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.protocols.gsm import alphabet, packing

from .errors import TpduError
from .reader import Reader

UNKNOWN, INTERNATIONAL, NATIONAL, ALPHANUMERIC = 0, 1, 2, 5
_DIGITS = "0123456789*#abc"
_MOST_DIGITS = 20
_MOST_LETTERS = 11
_FILLER = 0xF


class TpAddress(NamedTuple):
    """One end of a short message; ``text`` are digits, or the letters of an alphanumeric one."""

    text: str
    ton: int = INTERNATIONAL
    npi: int = 1

    @classmethod
    def of(cls, text: str) -> TpAddress:
        """By its form: ``+`` is international, other digits are of unknown type, the rest is a name."""
        bare = text.removeprefix("+")
        if bare and all(c in _DIGITS for c in bare):
            return cls(bare, INTERNATIONAL if text.startswith("+") else UNKNOWN)
        return cls(text, ALPHANUMERIC, 0)

    def encode(self) -> bytes:
        """Raises TpduError for what is no address."""
        kind = 0x80 | self.ton << 4 | self.npi
        if self.ton == ALPHANUMERIC:
            septets = alphabet.encode(self.text[:_MOST_LETTERS])
            if septets is None:
                raise TpduError(f"{self.text!r} has letters that no sender's name can have")
            return bytes(((7 * len(septets) + 3) // 4, kind)) + packing.pack(septets)
        if len(self.text) > _MOST_DIGITS or not all(c in _DIGITS for c in self.text):
            raise TpduError(f"{self.text!r} is no number")
        halves = [_DIGITS.index(c) for c in self.text] + [_FILLER] * (len(self.text) % 2)
        return bytes((len(self.text), kind)) + bytes(
            low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True)
        )


def read_address(reader: Reader) -> TpAddress:
    """Take an address. Raises TpduError."""
    length, kind = reader.octet(), reader.octet()
    if length > _MOST_DIGITS:
        raise TpduError("an address longer than 20 digits")
    octets = reader.take((length + 1) // 2)
    ton, npi = kind >> 4 & 7, kind & 15
    if ton == ALPHANUMERIC:
        return TpAddress(alphabet.decode(packing.unpack(octets, length * 4 // 7)), ton, npi)
    halves = [half for octet in octets for half in (octet & 15, octet >> 4)][:length]
    if _FILLER in halves:
        halves = halves[: halves.index(_FILLER)]
    return TpAddress("".join(_DIGITS[half] for half in halves), ton, npi)
