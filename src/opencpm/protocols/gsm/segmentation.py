"""A text as short messages: the cheapest alphabet, cut only between what a reader sees as characters.

Capacities: 140 octets of user data, header included (3GPP TS 23.040 §9.2.3.24.1); clusters: UAX #29.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Literal, NamedTuple

import regex

from . import alphabet, national, ucs2, udh

MAX_SEGMENTS = 255
_OCTETS = 140
_CLUSTER = regex.compile(r"\X")
# Scripts whose characters are all clusters of their own, two octets each: Latin, Greek, Cyrillic, kana, Han.
_PLAIN = re.compile("[\n -~\xa0-\u02ff\u0370-\u0482\u048a-\u052f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]*\\Z")


class Coding(Enum):
    """How the content of the segments is coded; the value is the data coding scheme octet (TS 23.038 §4)."""

    GSM7 = 0x00
    UCS2 = 0x08


class Segment(NamedTuple):
    """User data header (empty if none) and content: unpacked septets or UTF-16BE octets."""

    header: bytes
    content: bytes


class Segmentation(NamedTuple):
    """All segments of one text, with the national language codes in use (0: none)."""

    coding: Coding
    segments: tuple[Segment, ...]
    single_shift: int = 0
    locking_shift: int = 0


class TooManySegments(ValueError):
    """The text needs more segments than allowed."""


class _Cut(NamedTuple):
    coding: Coding
    parts: list[bytes]
    single_shift: int = 0
    locking_shift: int = 0


def segment(
    text: str,
    reference: int,
    *,
    reference_bits: Literal[8, 16] = 8,
    languages: Iterable[int] = (),
    limit: int = MAX_SEGMENTS,
    gsm7: bool = True,
) -> Segmentation:
    """Segments of a normalised text (see :mod:`text`) in the alphabet that needs the fewest; on a tie the
    simplest.

    ``reference`` marks the segments of one message and is cut to its width; ``languages`` are the national
    tables the recipient may be sent; without ``gsm7`` only UCS-2 is. Raises TooManySegments over ``limit``.
    """
    septets = alphabet.encode(text) if gsm7 else None
    if septets is not None and len(septets) <= 160:
        return Segmentation(Coding.GSM7, (Segment(b"", septets),))
    cuts = _cuts(text, septets, languages if gsm7 else (), 6 if reference_bits == 8 else 7)
    cut = min(cuts, key=lambda c: len(c.parts))
    if len(cut.parts) > limit:
        raise TooManySegments(f"{len(cut.parts)} segments, {limit} allowed")
    return Segmentation(cut.coding, tuple(_with_headers(cut, reference, reference_bits)), *cut[2:])


def _with_headers(cut: _Cut, reference: int, bits: int) -> Iterator[Segment]:
    total = len(cut.parts)
    for number, part in enumerate(cut.parts, 1):
        concat = udh.Concat(reference & ((1 << bits) - 1), total, number, bits) if total > 1 else None
        yield Segment(udh.build(concat, cut.single_shift, cut.locking_shift), part)


def _cuts(text: str, septets: bytes | None, languages: Iterable[int], concat_octets: int) -> Iterator[_Cut]:
    """One way of cutting for each alphabet that can hold the whole text, the simplest first.

    What the default alphabet holds takes no fewer segments in UCS-2: 76 characters a segment at worst, against 67.
    """
    if septets is not None:
        yield _Cut(Coding.GSM7, cut_septets(septets, 160, _septets_after(concat_octets)))
    for single, locking in _shifts(languages):
        letters = national.alphabet(single, locking)
        shifted = letters.encode(text)
        if shifted is not None:
            octets = 3 * bool(single) + 3 * bool(locking)
            alone, joined = _septets_after(1 + octets), _septets_after(concat_octets + octets)
            yield _Cut(Coding.GSM7, _cut_shifted(text, letters, shifted, alone, joined), single, locking)
    if septets is None:
        yield _Cut(Coding.UCS2, cut_utf16(text, _OCTETS, (_OCTETS - concat_octets) & ~1))


def _septets_after(header_octets: int) -> int:
    return (8 * (_OCTETS - header_octets)) // 7


def _shifts(languages: Iterable[int]) -> list[tuple[int, int]]:
    known = list(languages)
    single = [(language, 0) for language in known if national.has_single(language)]
    locking = [(0, language) for language in known if national.has_locking(language)]
    return single + locking + [(language, language) for _, language in locking]


def _cut_shifted(text: str, letters: alphabet.Alphabet, septets: bytes, alone: int, joined: int) -> list[bytes]:
    """The same where several septets may be what a reader sees as one character (South Asian vowel signs)."""
    if len(septets) <= alone or all(len(cluster) == 1 for cluster in _CLUSTER.findall(text)):
        return cut_septets(septets, alone, joined)
    return _fill(septets, _sizes(text, joined, lambda piece: len(letters.encode(piece) or b"")), joined)


def cut_septets(septets: bytes, alone: int, joined: int) -> list[bytes]:
    """Cut unpacked septets, ``alone`` in a single part or ``joined`` in each of several, never after an ESC.

    Every character of the default and the Latin tables is a cluster of its own, so the escape pair is all there is to
    keep together.
    """
    if len(septets) <= alone:
        return [septets]
    parts = []
    start = 0
    while start < len(septets):
        end = start + joined
        if end < len(septets) and septets[end - 1] == alphabet.ESCAPE:
            end -= 1
        parts.append(septets[start:end])
        start = end
    return parts


def cut_utf16(text: str, alone: int, joined: int) -> list[bytes]:
    """Cut text into UTF-16BE parts of at most ``alone`` or ``joined`` octets between grapheme clusters.

    A cluster larger than a part is cut between its code points, from where it stands.
    """
    octets = ucs2.encode(text)
    if len(octets) <= alone:
        return [octets]
    if _PLAIN.match(text):
        return [octets[at : at + joined] for at in range(0, len(octets), joined)]
    return _fill(octets, _sizes(text, joined, lambda piece: len(ucs2.encode(piece))), joined)


def _fill(octets: bytes, sizes: Iterable[int], joined: int) -> list[bytes]:
    """Parts of at most ``joined`` octets, cut only where a piece ends."""
    parts = []
    start = end = 0
    for size in sizes:
        if end + size - start > joined:
            parts.append(octets[start:end])
            start = end
        end += size
    return [*parts, octets[start:end]]


def _sizes(text: str, most: int, size_of: Callable[[str], int]) -> Iterator[int]:
    """The size of each piece that must stay together."""
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        size = size_of(cluster)
        if size <= most:
            yield size
        else:
            yield from map(size_of, cluster)
