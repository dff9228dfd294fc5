"""The packet: a header of 20 octets and pairs of a decimal key and a value, in order."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from opencpm.protocols.ymsg.errors import YmsgError

MAGIC: Final = b"YMSG"
SEPARATOR: Final = b"\xc0\x80"
HEADER: Final = struct.Struct(">4sHHHHII")  # magic, version, vendor, length, service, status, session
MAX_BODY: Final = 0xFFFF
MAX_PAIRS: Final = 8192
MAX_KEY: Final = 9  # digits
ERROR: Final = 0xFFFFFFFF  # status -1

Pair = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. Keys may repeat and their order matters: a record begins where its first key comes again."""

    service: int
    status: int = 0
    pairs: tuple[Pair, ...] = ()
    session: int = 0

    def get(self, key: int, default: bytes = b"") -> bytes:
        """The first value of a key."""
        return next((value for known, value in self.pairs if known == key), default)

    def text(self, key: int, default: str = "") -> str:
        """The same as text; what is not UTF-8 is read as Windows-1252, as old clients wrote it."""
        value = self.get(key, b"\x00")
        return default if value == b"\x00" else decoded(value)

    def number(self, key: int, default: int = 0) -> int:
        """The same as a number; the default where it is none."""
        return integer(self.get(key), default)

    def all(self, key: int) -> tuple[str, ...]:
        return tuple(decoded(value) for known, value in self.pairs if known == key)

    def records(self, first: int) -> Iterator[Packet]:
        """The pairs cut at each occurrence of ``first``; what comes before the first one is left out."""
        record: list[Pair] = []
        for pair in self.pairs:
            if pair[0] == first and record:
                yield self._with(record)
                record = []
            if record or pair[0] == first:
                record.append(pair)
        if record:
            yield self._with(record)

    def _with(self, pairs: list[Pair]) -> Packet:
        return Packet(self.service, self.status, tuple(pairs), self.session)


def pairs(*values: tuple[int, str | bytes | int]) -> tuple[Pair, ...]:
    """Pairs for a packet of ours. The separator cannot be in a value; it is no UTF-8, so text never has it."""
    made = []
    for key, value in values:
        octets = value if isinstance(value, bytes) else str(value).encode()
        made.append((key, octets.replace(SEPARATOR, b"")))
    return tuple(made)


def encode(packet: Packet, version: int) -> bytes:
    """:raises YmsgError: the body is longer than 65535 octets."""
    body = b"".join(b"%d" % key + SEPARATOR + value + SEPARATOR for key, value in packet.pairs)
    if len(body) > MAX_BODY:
        raise YmsgError(f"a body of {len(body)} octets")
    return HEADER.pack(MAGIC, version, 0, len(body), packet.service, packet.status, packet.session) + body


def read_body(body: bytes) -> tuple[Pair, ...]:
    """Pairs of a body; a missing last separator and empty pieces at the end are tolerated.

    :raises YmsgError: a key that is no number, or more than 8192 pairs.
    """
    pieces = body.split(SEPARATOR, 2 * MAX_PAIRS + 1)
    if len(pieces) > 2 * MAX_PAIRS + 1:
        raise YmsgError(f"more than {MAX_PAIRS} pairs")
    found = []
    for key, value in zip(pieces[0::2], pieces[1::2], strict=False):
        if not key and not value:
            continue
        if not key.isdigit() or len(key) > MAX_KEY:
            raise YmsgError(f"a key {key[:12]!r}")
        found.append((int(key), value))
    return tuple(found)


class Framer:
    """Cuts a stream into packets. The version of incoming packets means nothing and is not looked at."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterable[Packet | YmsgError]:
        """Whole packets, and an error in place of one whose body cannot be read: the stream goes on behind it.

        :raises YmsgError: this is no YMSG stream.
        """
        self._buffer += data
        found: list[Packet | YmsgError] = []
        at = 0
        while len(self._buffer) - at >= HEADER.size:
            magic, _, _, length, service, status, session = HEADER.unpack_from(self._buffer, at)
            if magic != MAGIC:
                raise YmsgError(f"{bytes(self._buffer[at : at + 4])!r} where a packet should begin")
            end = at + HEADER.size + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[at + HEADER.size : end])
            at = end
            try:
                found.append(Packet(service, status, read_body(body), session))
            except YmsgError as error:
                found.append(error)
        del self._buffer[:at]
        if not MAGIC.startswith(bytes(self._buffer[:4])):
            raise YmsgError(f"{bytes(self._buffer[:4])!r} where a packet should begin")
        return found


def decoded(value: bytes) -> str:
    """Text, whatever the sender's charset was: UTF-8 where it is, else Windows-1252 (undefined octets replaced)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def integer(value: bytes, default: int = 0) -> int:
    text = value.strip()
    digits = text[1:] if text[:1] == b"-" else text
    return int(text) if digits.isdigit() and len(digits) <= 12 else default
