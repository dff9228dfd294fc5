from opencpm.domain.presence import NOTE_LIMIT, UNKNOWN, Presence, best, note_of
from opencpm.domain.profile import Availability


def test_a_note_is_one_line_without_controls() -> None:
    assert note_of("  in Rome\r\nuntil\x00 Friday\t") == "in Rome until Friday"
    assert len(note_of("x" * 5000)) == NOTE_LIMIT


def test_the_most_available_of_several() -> None:
    away, busy = Presence(Availability.AWAY), Presence(Availability.BUSY, "in a call")
    assert best([away, busy, UNKNOWN]) == busy
    assert best([Presence(Availability.OFFLINE), UNKNOWN]).availability is Availability.OFFLINE
    assert best([]) == UNKNOWN
