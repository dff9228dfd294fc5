"""Content rules and presence, pure."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part, text_part
from opencpm.domain.presence import Presence as Shown
from opencpm.domain.profile import WHOLE, Availability
from opencpm.interworking.yahoo import adapt
from opencpm.protocols.ymsg.presence import Presence
from opencpm.protocols.ymsg.services import CUSTOM, IDLE
from opencpm.protocols.ymsg.text import LONGEST, LONGEST_OCTETS


def message(text: str, subject: str = "", parts: tuple[Part, ...] = ()) -> Message:
    return Message(
        id="m",
        message_id="m",
        sender=Address("sip", "alice@cpm.test"),
        recipients=(Address("yahoo", "bob@yahoo.test"),),
        parts=parts or (text_part(text),),
        sent_at=0.0,
        received_at=0.0,
        origin="sip",
        subject=subject,
    )


def test_a_short_text_goes_whole() -> None:
    assert adapt.fit(message("hello"), 1000) == WHOLE


def test_losses_are_said() -> None:
    fit = adapt.fit(message("word " * 400, "News"), 5000)
    assert fit.segments == 3
    assert fit.losses == ("the subject is put before the text", "the text is cut into 3 messages")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (message("", parts=(Part("image/png", b"x"),)), Reason.UNSUPPORTED_MEDIA),
        (message("hi", parts=(text_part("hi"), Part("application/pdf", b"x"))), Reason.UNSUPPORTED_MEDIA),
        (message(" \n"), Reason.NOT_ACCEPTABLE),
        (message("x" * 1001), Reason.TOO_LARGE),
        (message("☃" * 334), Reason.TOO_LARGE),
    ],
)
def test_what_cannot_go(given: Message, reason: Reason) -> None:
    with pytest.raises(SendError) as caught:
        adapt.text_of(given, 1000)
    assert caught.value.reason is reason
    assert adapt.fit(given, 1000).error is not None


def test_pieces_are_the_text() -> None:
    text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. " * 40 + "☃" * 2000
    pieces = adapt.split(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= LONGEST and len(piece.encode()) <= LONGEST_OCTETS for piece in pieces)


@pytest.mark.parametrize("text", ["<ding>", " <DING> "])
def test_a_text_is_no_buzz_by_accident(text: str) -> None:
    (piece,) = adapt.split(text)
    assert piece == adapt.BLANK + text


def test_what_no_charset_can_write_is_replaced() -> None:
    assert adapt.text_of(message("", parts=(Part("text/plain", b"a\xff\x00b"),)), 1000) == "a\ufffdb"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Presence("bob", False, 2), Availability.OFFLINE),
        (Presence("bob", True, 0), Availability.AVAILABLE),
        (Presence("bob", True, 1), Availability.AWAY),
        (Presence("bob", True, 2), Availability.BUSY),
        (Presence("bob", True, 6), Availability.BUSY),
        (Presence("bob", True, 9), Availability.AWAY),
        (Presence("bob", True, IDLE, idle=600), Availability.AWAY),
        (Presence("bob", True, CUSTOM, "x", 0), Availability.AVAILABLE),
        (Presence("bob", True, CUSTOM, "x", 1), Availability.BUSY),
        (Presence("bob", True, CUSTOM, "x", 2), Availability.AWAY),
        (Presence("bob", True, 4711), Availability.AWAY),
    ],
)
def test_presence(seen: Presence, expected: Availability) -> None:
    assert adapt.availability(seen) is expected
    assert adapt.presence(seen).note == seen.note


@pytest.mark.parametrize(
    ("mine", "shown"),
    [
        (Shown(Availability.AVAILABLE), (0, "", 0)),
        (Shown(Availability.AVAILABLE, "here"), (0, "here", 0)),
        (Shown(Availability.BUSY, "in a\nmeeting"), (2, "in a meeting", 1)),
        (Shown(Availability.AWAY), (1, "", 2)),
        (Shown(Availability.OFFLINE, "nobody reads it"), (12, "", 0)),
        (Shown(Availability.UNKNOWN), (0, "", 2)),
    ],
)
def test_how_a_subscriber_appears(mine: Shown, shown: tuple[int, str, int]) -> None:
    assert adapt.shown(mine) == shown
