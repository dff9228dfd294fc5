from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.mms.content import part_of
from opencpm.protocols.smil import Item, SmilError, ordered, pages_of, parse, write
from tests.protocols.smil.documents import RECORDED

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=15)


@st.composite
def damaged(draw):
    octets = bytearray(draw(st.sampled_from(RECORDED)))
    for _ in range(draw(st.integers(1, 5))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets)


@given(
    damaged() | st.binary(max_size=100) | st.binary(max_size=100).map(lambda octets: b"<smil>" + octets + b"</smil>")
)
def test_reading_raises_only_its_error(document):
    ordered(document, [part_of("image/gif", b"", "a", "dot.gif")])
    try:
        parse(document)
    except SmilError:
        pass


@given(
    st.lists(
        st.builds(Item, st.sampled_from(["img", "text", "audio", "ref"]), TEXT.map(str.strip).filter(bool)), max_size=9
    )
)
def test_what_was_written_is_read_and_nothing_is_lost(items):
    items = [Item(item.kind, item.src) for item in items]
    pages = pages_of(items)
    assert [item for page in parse(write(pages)).pages for item in page.items] == items
    parts = [part_of("image/gif", bytes([number]), "", item.src) for number, item in enumerate(items)]
    again = [part for slide in ordered(write(pages), parts) for part in slide]
    assert sorted(again) == sorted(parts)
