from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.lab.line.meaning import Said, said_in
from opencpm.protocols.fsk import frames1, frames2
from opencpm.protocols.fsk.frames2 import Text2


@pytest.mark.parametrize(
    ("frame", "by_line", "name", "text"),
    [
        ("93006d", True, "EST", ""),
        ("911c040b912120550501f000f1621182323520000ac8329bfd06a1dfed3279", False, "DATA", "Hello home"),
        ("911c11020b912120550501f000f1a710c834c82c7fb741747419840eb3d9ea", True, "DATA", "Hi from the hall"),
        ("9502000069", True, "ACK", ""),
        ("94006c", False, "REL", ""),
        ("", True, "Marks", ""),
        ("7f0081", True, "7F", ""),
    ],
)
def test_frames_of_protocol_1(frame: str, by_line: bool, name: str, text: str) -> None:
    said = said_in(bytes.fromhex(frame), by_line)
    assert (said.name, said.text) == (name, text)


def test_an_error_says_what_was_wrong() -> None:
    assert said_in(frames1.encode(frames1.ERROR, b"\1"), True).meaning == (
        "Not understood (the checksum is wrong): say it again"
    )


def test_a_text_of_protocol_2() -> None:
    frame = frames2.encode(frames2.INFO_MO, frames2.to_centre(Text2("hello", "12025550100")))
    assert said_in(frame, True) == Said("INFO_MO", "The text", "hello")
    assert said_in(frames2.encode(frames2.ACK1), False).name == "ACK1"


@given(st.binary(max_size=300), st.booleans())
def test_any_octets_get_an_answer(frame: bytes, by_line: bool) -> None:
    assert said_in(frame, by_line).name
