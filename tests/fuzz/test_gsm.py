from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.gsm import alphabet, packing, ucs2, udh
from opencpm.protocols.gsm.segmentation import Coding, TooManySegments, segment
from opencpm.protocols.gsm.text import normalise


@given(st.text(alphabet=alphabet.DEFAULT_TABLE.replace("\x1b", "") + "^{}\\[~]|€\f"))
def test_every_gsm_text_comes_back(text):
    septets = alphabet.encode(text)
    assert septets is not None
    assert alphabet.decode(septets) == text
    assert packing.unpack(packing.pack(septets), len(septets)) == septets


@given(st.text() | st.text(alphabet="ab€^😀é\u0301\u200d👩🏽\n"))
def test_segments_hold_the_text_and_fit(text):
    text = normalise(text)
    try:
        result = segment(text, 1)
    except TooManySegments:
        return
    for part in result.segments:
        septets = result.coding is Coding.GSM7
        octets = (len(part.content) * 7 + 7) // 8 if septets else len(part.content)
        assert len(part.header) + octets <= 140
    joined = b"".join(part.content for part in result.segments)
    decoded = alphabet.decode(joined) if result.coding is Coding.GSM7 else ucs2.decode(joined)
    assert decoded == text.encode("utf-16-be", "replace").decode("utf-16-be").removeprefix("\ufeff")


@given(st.binary(max_size=300))
def test_reading_never_fails(octets):
    header, content = udh.split(octets)
    assert content == b"" or octets.endswith(content)
    assert header.concat is None or 0 < header.concat.number <= header.concat.total
    alphabet.decode(octets)
    ucs2.decode(octets)
    packing.unpack(octets, 500)
