"""The GSM 7-bit alphabets: characters to septets and back (3GPP TS 23.038 §6.2.1).

A septet is one octet here ("unpacked", as SMPP carries it); ``packing`` makes the radio form. An
:class:`Alphabet` is a locking table and a single shift table; the default one and those of :mod:`national`
have the same shape.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

ESCAPE = 0x1B

DEFAULT_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
DEFAULT_EXTENSION: Mapping[int, str] = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_UNKNOWN = "\xff"  # no septet has the high bit: marks a character without a code
_LATIN_1_HALF = "".join(map(chr, range(0x80, 0x100)))


class _Encoder(dict[int, str]):
    """A str.translate table: a character without a code becomes ``_UNKNOWN``."""

    def __missing__(self, key: int) -> str:
        return _UNKNOWN


class Alphabet:
    """One locking table (128 characters) with one single shift table (code after ESC to character)."""

    __slots__ = ("_decode", "_encoder", "_extension")

    def __init__(self, locking: str = DEFAULT_TABLE, extension: Mapping[int, str] = DEFAULT_EXTENSION) -> None:
        # Octets over 7Fh are no septets; some peers put Latin-1 there, so that is how they are read.
        self._decode = locking + _LATIN_1_HALF
        self._extension = dict(extension)
        self._encoder = _Encoder({ord(c): chr(ESCAPE) + chr(code) for code, c in extension.items()})
        self._encoder.update({ord(c): chr(code) for code, c in enumerate(locking) if c not in "\x1b\ufffd"})

    def encode(self, text: str) -> bytes | None:
        """The septets of ``text``, one an octet; None if a character has no code."""
        septets = text.translate(self._encoder)
        return None if _UNKNOWN in septets else septets.encode("latin-1")

    def decode(self, septets: bytes) -> str:
        """The characters of unpacked septets; never fails.

        A code the shift table lacks shows the locking table's character, a doubled or last ESC a space
        (§6.2.1.1).
        """
        if ESCAPE not in septets:
            return codecs.charmap_decode(septets, "strict", self._decode)[0]
        first, *escaped = septets.split(b"\x1b")
        out = [codecs.charmap_decode(first, "strict", self._decode)[0]]
        pending = False  # an ESC waits for its code
        for run in escaped:
            pending = self._decode_run(run, pending, out)
        if pending:
            out.append(" ")
        return "".join(out)

    def _decode_run(self, run: bytes, pending: bool, out: list[str]) -> bool:
        if not run:  # this ESC meets the next ESC, or the end
            if pending:
                out.append(" ")
            return not pending
        if pending:  # ESC ESC x: reserved, a space, then x as usual
            out.append(" ")
        else:
            out.append(self._extension.get(run[0]) or self._decode[run[0]])
            run = run[1:]
        out.append(codecs.charmap_decode(run, "strict", self._decode)[0])
        return False


DEFAULT = Alphabet()

# ASCII whose septets are the same octets: the fast path of nearly all traffic.
_SAME_AS_ASCII = bytes(i for i in range(0x80) if DEFAULT_TABLE[i] == chr(i) and i != ESCAPE)


def encode(text: str) -> bytes | None:
    """The septets of ``text`` in the default alphabet, one an octet; None if a character has no code."""
    if text.isascii():
        octets = text.encode("ascii")
        if not octets.translate(None, _SAME_AS_ASCII):
            return octets
    return DEFAULT.encode(text)


decode = DEFAULT.decode
