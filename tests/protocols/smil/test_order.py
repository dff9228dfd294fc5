from __future__ import annotations

import pytest

from opencpm.protocols.mime import Part
from opencpm.protocols.mm1.mime_parts import to_parts
from opencpm.protocols.mm1.pdu import decode
from opencpm.protocols.mms.content import part_of
from opencpm.protocols.smil import Item, ordered, pages_of, write
from tests.protocols.mm1.vectors import fixture

SMIL = part_of("application/smil", b"")
ONE = part_of("image/gif", b"1", "id1", "one.gif")
TWO = Part((("Content-Type", 'text/plain; name="Two.TXT"'),), b"2")
THREE = Part((("Content-Disposition", 'attachment; filename="three.bin"'),), b"3")


def shown(*sources: str, parts=(SMIL, ONE, TWO, THREE)):
    return ordered(write(pages_of(Item("img", src) for src in sources)), parts)


def test_a_recorded_message():
    pdu = decode(fixture("mm1-retrieve-conf.bin"))
    smil, gif, text = to_parts(pdu.content_type, pdu.body)
    assert ordered(smil.body, (smil, text, gif)) == ((gif, text),)


@pytest.mark.parametrize("src", ["one.gif", "cid:id1", "id1", "cid:<id1>", "ONE.gif", "path/one.gif", "one%2Egif"])
def test_references_as_phones_write_them(src):
    assert shown("three.bin", src) == ((THREE,), (ONE,), (TWO,))


def test_names():
    assert shown("two.txt") == ((TWO,), (ONE,), (THREE,))
    assert shown("three.bin", "Two.TXT", "cid:one.gif") == ((THREE,), (TWO,), (ONE,))


def test_the_location_counts_before_the_id():
    first, second = part_of("image/gif", b"", "x", "y"), part_of("image/gif", b"", "y", "x")
    assert shown("x", "y", parts=(first, second)) == ((second,), (first,))


@pytest.mark.parametrize("smil", [None, b"", b"<smil", b"<smil><body/></smil>"])
def test_without_a_presentation_the_parts_keep_their_order(smil):
    assert ordered(smil, (TWO, SMIL, ONE)) == ((TWO,), (ONE,))


def test_what_is_unknown_or_shown_twice():
    assert shown("one.gif", "http://x.test/evil.gif", "one.gif", "") == ((ONE,), (TWO,), (THREE,))
