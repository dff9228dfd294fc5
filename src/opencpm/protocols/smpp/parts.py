"""Parts of long messages: where a segment belongs, and the text of what came (SMPP 3.4 §5.3.2.22 to 24; TS 23.040)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.text import normalise, without_controls
from opencpm.protocols.gsm.udh import Concat, Header

from .coding import Decoder
from .short_message import UDHI, ShortMessage
from .tlv import Tag, int_of

MISSING = "[...]"
"""Stands for segments that never came, once a gap."""
_SAR_BITS = 17  # sets counted by optional parameters are apart from those counted in the header


class Part(NamedTuple):
    """A short message taken apart. ``concat`` is None for one that is whole; ``port``: what it is addressed to."""

    header: Header
    content: bytes
    concat: Concat | None
    port: int | None


def part_of(sm: ShortMessage) -> Part:
    """Take a short message apart; never fails."""
    header, content = udh.split(sm.content) if sm.esm_class & UDHI else (udh.EMPTY, sm.content)
    port = header.destination_port
    if sm.tlvs and port is None:
        port = int_of(sm.tlvs, Tag.DESTINATION_PORT)
    concat = header.concat or _sar(sm)
    return Part(header, content, None if concat is None or concat.total == 1 else concat, port)


def text_of(
    decoder: Decoder, data_coding: int, parts: Sequence[bytes | None], header: Header, *, late: bool = False
) -> str | None:
    """The text of all parts; missing ones, and those that come after the rest (``late``), are marked. None: no text."""
    there = [part for part in parts if part is not None]
    if len(there) == len(parts):
        text = decoder.decode(data_coding, there, header)
    else:
        pieces = [None if part is None else decoder.decode(data_coding, [part], header) for part in parts]
        text = _with_gaps(pieces)
    if text is None:
        return None
    text = without_controls(normalise(text))
    return f"{MISSING} {text}" if late and text else text


def _with_gaps(texts: Sequence[str | None]) -> str:
    out: list[str] = []
    for text in texts:
        if text is not None:
            out.append(text)
        elif not out or out[-1] != MISSING:
            out.append(MISSING)
    return "".join(out) if any(text for text in texts) else ""


def _sar(sm: ShortMessage) -> Concat | None:
    """A segment's place by optional parameters."""
    if not sm.tlvs:
        return None
    reference = int_of(sm.tlvs, Tag.SAR_MSG_REF_NUM)
    total = int_of(sm.tlvs, Tag.SAR_TOTAL_SEGMENTS)
    number = int_of(sm.tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or not total or not number or number > min(total, 255):
        return None
    return Concat(reference & 0xFFFF, total, number, _SAR_BITS)
