"""What a frame says, for people: its name in ES 201 912 and one sentence."""

from __future__ import annotations

from typing import Final, NamedTuple

from opencpm.protocols.fsk import frames1, frames2
from opencpm.protocols.fsk.frames2 import Frame2Error, read_text
from opencpm.protocols.gsm.tpdu.content import text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import StatusReport, read_from_centre, read_from_terminal


class Said(NamedTuple):
    """``name`` as the standard has it; ``meaning`` a sentence; ``text`` what a person wrote, where the frame has it."""

    name: str
    meaning: str
    text: str = ""


_SIMPLE: Final = {
    frames1.EST: Said("EST", "I am ready: whoever called may speak"),
    frames1.REL: Said("REL", "Nothing more to say; hang up"),
    frames1.ACK: Said("ACK", "Taken and kept"),
    frames1.NACK: Said("NACK", "Understood, and refused"),
    frames2.ACK0: Said("ACK0", "Taken"),
    frames2.ACK1: Said("ACK1", "Taken"),
    frames2.NACK: Said("NACK", "Refused, or not understood"),
    frames2.ENQ: Said("ENQ", "Say your last answer again"),
    frames2.REL: Said("REL", "Nothing more to say; hang up"),
    frames2.INFO_STA: Said("INFO_STA", "The state of the terminal"),
}
_FAULTS: Final = {
    1: "the checksum is wrong",
    2: "the length is wrong",
    3: "the type is unknown",
    4: "parts of a longer message are not supported",
}


def said_in(frame: bytes, by_line: bool) -> Said:
    """Any octets get an answer. ``by_line``: the terminal said it, not the centre."""
    if not frame:
        return Said("Marks", "I am ready (channel seizure, no octets)")
    kind = frame[0]
    if kind == frames1.ERROR:
        cause = frame[2] if len(frame) > 3 else 0
        return Said("ERROR", f"Not understood ({_FAULTS.get(cause, 'no cause')}): say it again")
    if kind == frames1.DATA:
        return _data(frame[2:-1], by_line)
    if kind in (frames2.INFO_MO, frames2.INFO_MT):
        return _info(frame, kind == frames2.INFO_MO)
    return _SIMPLE.get(kind, Said(f"{kind:02X}", "An unknown frame"))


def _data(payload: bytes, by_line: bool) -> Said:
    try:
        message = read_from_terminal(payload) if by_line else read_from_centre(payload)
    except TpduError as error:
        return Said("DATA", f"A short message that cannot be read: {error}")
    if isinstance(message, StatusReport):
        return Said("DATA", "SMS-STATUS-REPORT: what became of a text")
    text = text_of(message.dcs, [message.data.content])
    kind = "SMS-SUBMIT" if by_line else "SMS-DELIVER"
    return Said("DATA", f"{kind}: data") if text is None else Said("DATA", f"{kind}: the text", text)


def _info(frame: bytes, by_line: bool) -> Said:
    name = "INFO_MO" if by_line else "INFO_MT"
    try:
        return Said(name, "The text", read_text(frame[4:-1]).text)
    except Frame2Error as error:
        return Said(name, f"A short message that cannot be read: {error}")
