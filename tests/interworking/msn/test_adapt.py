import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part, text_part
from opencpm.interworking.msn import adapt
from opencpm.protocols.msnp import payload


def message(*parts: Part, subject: str = "") -> Message:
    return Message(
        id="1",
        message_id="1",
        sender=Address("sip", "alice@cpm.test"),
        recipients=(Address("msn", "bob@msn.test"),),
        parts=parts,
        sent_at=0.0,
        received_at=0.0,
        origin="sip",
        subject=subject,
    )


def test_room() -> None:
    assert adapt.ROOM == 1547


def test_short_text_is_whole() -> None:
    assert adapt.fit(message(text_part("hello")), 65536) == (1, (), None)


def test_subject_and_parts() -> None:
    both = message(text_part("one"), text_part("two"), subject="Plan")
    assert adapt.text_of(both, 65536) == "Plan: one\ntwo"
    assert adapt.fit(both, 65536).losses == ("the subject is put before the text",)


def test_a_piece_holds_exactly_the_room() -> None:
    assert adapt.split("x" * adapt.ROOM) == ("x" * adapt.ROOM,)
    assert list(map(len, adapt.split("x" * (adapt.ROOM + 1)))) == [adapt.ROOM, 1]
    assert len(payload.text("x" * adapt.ROOM)) == payload.MAX_PAYLOAD


def test_cut_between_words() -> None:
    first, second = adapt.split("word " * 320)
    assert first.endswith("word ")
    assert second.startswith("word ")


def test_not_inside_a_grapheme() -> None:
    family = "👨‍👩‍👧‍👦"
    for piece in adapt.split(family * 200):
        assert piece.count(family) * len(family) == len(piece)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((Part("image/png", b"x"),), Reason.UNSUPPORTED_MEDIA),
        ((text_part("look"), Part("image/png", b"x")), Reason.UNSUPPORTED_MEDIA),
        ((text_part(" \n"),), Reason.NOT_ACCEPTABLE),
        ((text_part("x" * 70000),), Reason.TOO_LARGE),
    ],
)
def test_what_is_refused(parts: tuple[Part, ...], reason: Reason) -> None:
    with pytest.raises(SendError) as caught:
        adapt.text_of(message(*parts), 65536)
    assert caught.value.reason is reason
    assert not caught.value.retryable


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(1, 40), st.integers(20, 200))
def test_nothing_is_lost(text: str, times: int, room: int) -> None:
    whole = text * times
    pieces = adapt.split(whole, room)
    assert "".join(pieces) == whole
    assert all(len(payload.wire_text(piece)) <= room for piece in pieces)
    assert all(pieces) or not whole


def test_one_endless_grapheme() -> None:
    text = "e" + "\u0301" * 60000
    pieces = adapt.split(text)
    assert "".join(pieces) == text
    assert max(len(payload.wire_text(piece)) for piece in pieces) <= adapt.ROOM
