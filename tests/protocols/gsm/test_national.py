"""All fourteen languages, against the tables of the fixture."""

import json
import unicodedata
from pathlib import Path

import pytest
import regex

from opencpm.protocols.gsm import national
from opencpm.protocols.gsm.segmentation import Coding, segment
from opencpm.protocols.gsm.udh import split

TABLES = json.loads((Path(__file__).parents[2] / "fixtures" / "gsm7-national-tables.json").read_text())["tables"]
LANGUAGES = sorted(map(int, TABLES))
HINDI = 6


def table(language, kind):
    return {int(code, 16): chr(int(point[2:], 16)) for code, point in (TABLES[str(language)][kind] or {}).items()}


def test_all_are_there():
    assert len(LANGUAGES) == 14
    assert [n for n in LANGUAGES if national.has_locking(n)] == [1, *range(3, 14)]
    assert [n for n in LANGUAGES if national.has_single(n)] == list(range(1, 14))


@pytest.mark.parametrize("language", LANGUAGES)
def test_locking_shift_both_ways(language):
    letters = national.alphabet(0, language)
    for code, character in table(language if national.has_locking(language) else 0, "locking").items():
        assert letters.decode(bytes((code,))) == character
        assert letters.decode(letters.encode(character)) == character
        assert len(letters.encode(character)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_single_shift_both_ways(language):
    letters = national.alphabet(language, 0)
    for code, character in table(language, "single").items():
        assert letters.decode(bytes((0x1B, code))) == character
        assert letters.decode(letters.encode(character)) == character


def test_an_undefined_code_of_a_single_shift_shows_the_locking_table():
    undefined = next(code for code in range(0x61, 0x7B) if code not in table(HINDI, "single"))
    assert national.alphabet(HINDI, 0).decode(bytes((0x1B, undefined))) == chr(undefined)


@pytest.mark.parametrize("language", [0, 14, 255])
def test_reserved_languages_are_the_default(language):
    assert national.alphabet(language, language) is national.alphabet()


def test_hindi_goes_in_septets_and_no_cluster_is_cut():
    text = unicodedata.normalize("NFC", "नमस्ते, आप कैसे हैं? कल हम स्टेशन पर मिलेंगे। " * 6)
    cut = segment(text, 1, languages=(HINDI,))
    assert (cut.coding, cut.locking_shift) == (Coding.GSM7, HINDI)
    assert len(cut.segments) < len(segment(text, 1).segments)
    letters = national.alphabet(cut.single_shift, cut.locking_shift)
    pieces = [letters.decode(part.content) for part in cut.segments]
    assert "".join(pieces) == text
    assert [cluster for piece in pieces for cluster in regex.findall(r"\X", piece)] == regex.findall(r"\X", text)
    assert all(len(part.header) + -(-7 * len(part.content) // 8) <= 140 for part in cut.segments)
    assert {split(part.header)[0].locking_shift for part in cut.segments} == {HINDI}


def test_a_cluster_longer_than_a_segment_is_cut_between_its_characters():
    text = "क" + "\u0901" * 200
    cut = segment(text, 1, languages=(HINDI,))
    letters = national.alphabet(cut.single_shift, cut.locking_shift)
    assert "".join(letters.decode(part.content) for part in cut.segments) == text
