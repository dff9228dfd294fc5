import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.interworking.sms.adapt import Terms, fit, segments_of, terms_of, text_of
from opencpm.interworking.sms.settings import read

from .support import message

TERMS = Terms()


def test_text_is_kept_white_space_too():
    assert text_of(message("  *bold* _as written_ \n"), TERMS) == "  *bold* _as written_ \n"


def test_subject_goes_first_and_is_named_as_a_loss():
    given = message("see you", subject="Lunch")
    assert text_of(given, TERMS) == "Lunch: see you"
    assert fit(given, TERMS).losses == ("the subject is put before the text",)


def test_control_characters_go():
    assert text_of(message("a\x00b\r\nc\x07"), TERMS) == "ab\nc"


def test_typographic_characters_are_simplified_and_named():
    given = message("“quoted” – it’s")
    assert text_of(given, TERMS) == '"quoted" - it\'s'
    assert fit(given, TERMS).losses == ("typographic characters are simplified",)
    assert fit(given, Terms(transliteration="off")).losses == ()


def test_plain_text_loses_nothing():
    assert fit(message("naïve café 😀"), TERMS).losses == ()


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((Part("image/png", b"x"),), Reason.UNSUPPORTED_MEDIA),
        ((text_part("hi"), Part("image/png", b"x")), Reason.UNSUPPORTED_MEDIA),
        ((Part("text/html", b"<b>x</b>"),), Reason.UNSUPPORTED_MEDIA),
        ((text_part(""),), Reason.MALFORMED),
        ((text_part("x" * 60_000),), Reason.TOO_LARGE),
    ],
)
def test_what_does_not_fit(parts, reason):
    result = fit(message(parts=parts), TERMS)
    assert result.error.reason is reason
    assert not result.error.retryable


def test_several_text_parts_are_joined():
    assert text_of(message(parts=(text_part("one"), text_part("two"))), TERMS) == "one\ntwo"


def test_segments_count_and_the_lower_limit_holds():
    assert fit(message("x" * 161), TERMS).segments == 2
    assert fit(message("x" * 1531), TERMS).error.reason is Reason.TOO_LARGE
    with pytest.raises(SendError):
        segments_of(message("x" * 161), TERMS, limit=1)
    assert len(segments_of(message("x" * 161), TERMS, limit=200).segments) == 2


def test_languages_of_the_receivers():
    assert segments_of(message("Şğı"), Terms(languages=(1,))).single_shift == 1


@pytest.mark.parametrize(
    ("alphabets", "text", "segments", "reason"),
    [
        ("gsm7", "plain €", 1, None),
        ("gsm7", "Привет", 0, Reason.UNSUPPORTED_MEDIA),
        ("gsm7", "ж" * 5000, 0, Reason.TOO_LARGE),
        ("ucs2", "plain", 1, None),
        ("ucs2", "x" * 100, 2, None),
    ],
)
def test_networks_that_know_one_alphabet(alphabets, text, segments, reason):
    found = fit(message(text), terms_of(read({"type": "sms", "alphabets": alphabets})))
    assert (found.segments, found.error.reason if found.error else None) == (segments, reason)
