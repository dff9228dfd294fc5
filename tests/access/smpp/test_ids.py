import itertools

from opencpm.access.smpp.ids import MessageIds, name_of, piece, shown
from tests.interworking.sms.support import State


class Ids:
    def __init__(self):
        self._count = itertools.count(1)

    def new(self):
        return f"{next(self._count):024x}"[::-1]


def test_forms():
    assert piece("ab") == "ab00"
    assert piece("ab", 12) == "ab0c"
    assert name_of("AB0C") == "ab"
    assert shown("ab00.1234") == "ab00"


def test_24_digits_or_8_for_an_old_peer():
    ids = MessageIds(Ids(), State())
    assert len(piece(ids.name(0x34))) == 24
    assert len(piece(ids.name(0x33), 255)) == 8


def test_short_names_are_not_repeated_after_a_restart():
    state = State()
    before = MessageIds(Ids(), state)
    names = {before.name(0x33) for _ in range(5000)}
    after = MessageIds(Ids(), state)
    names |= {after.name(0x33) for _ in range(5000)}
    assert len(names) == 10_000
