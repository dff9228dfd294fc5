import json
import re
from pathlib import Path

import pytest
import regex

from opencpm.protocols.gsm import alphabet, national, segmentation, ucs2
from opencpm.protocols.gsm.segmentation import Coding, TooManySegments, segment
from opencpm.protocols.gsm.text import normalise
from opencpm.protocols.gsm.udh import split

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "sms-segmentation.json").read_text())["cases"]


def texts(result):
    if result.coding is Coding.UCS2:
        return [ucs2.decode(part.content) for part in result.segments]
    table = national.alphabet(result.single_shift, result.locking_shift)
    return [table.decode(part.content) for part in result.segments]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_cases(case):
    options, expect = case["options"], case["expect"]
    given = case["text"] if case["text"] is not None else case["text_repeat"][0] * case["text_repeat"][1]
    text = normalise(given, options["transliterate"])
    assert text == (given if case["normalised"] is None else case["normalised"])
    result = segment(text, 7, reference_bits=options["concat_ref_bits"], languages=options["languages"])
    unit = 1 if result.coding is Coding.GSM7 else 2
    assert result.coding.name.lower() == expect["alphabet"]
    assert (result.single_shift, result.locking_shift) == (expect["single_shift"], expect["locking_shift"])
    assert [len(part.content) // unit for part in result.segments] == expect["units"]
    assert {len(part.header) for part in result.segments} == {expect["udh_octets"]}
    assert expect.get("texts") in (None, texts(result))
    assert "".join(texts(result)) == text


def test_every_segment_carries_its_place():
    result = segment("x" * 400, 0x1A7)
    assert [split(part.header)[0].concat for part in result.segments] == [(0xA7, 3, n, 8) for n in (1, 2, 3)]


def test_more_than_allowed():
    with pytest.raises(TooManySegments):
        segment("x" * 307, 1, limit=2)
    with pytest.raises(TooManySegments):
        segment("ж" * 67 * 256, 1)


def test_the_default_alphabet_is_preferred_on_a_tie():
    assert alphabet.encode("€" * 70) == segment("€" * 70, 1).segments[0].content


@pytest.mark.parametrize("text", ["Привет, мир! " * 40, "漢字かなカナ" * 60, "ž" * 300, "ё" * 200 + "\n" + "ñ" * 200])
def test_plain_scripts_are_cut_as_cluster_by_cluster(text, monkeypatch):
    quick = segment(text, 1)
    monkeypatch.setattr(segmentation, "_PLAIN", re.compile(r"(?!)"))
    assert segment(text, 1) == quick


def test_every_character_of_the_plain_scripts_is_a_cluster_beside_every_other():
    plain = [chr(code) for code in range(0x10000) if segmentation._PLAIN.match(chr(code))]
    assert len(plain) > 21000
    assert regex.findall(r"\X", "".join(plain)) == plain
    assert regex.findall(r"\X", "".join(reversed(plain))) == plain[::-1]


def test_ucs2_never_needs_fewer_segments_where_the_default_alphabet_will_do():
    for count in range(1, 700):
        text = "€" * count  # two septets each: the worst case
        assert len(segment(text, 1).segments) <= len(segment(text, 1, gsm7=False).segments)
