import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.interworking.ucp.adapt import UcpTerms, cut, fit
from opencpm.interworking.ucp.settings import read
from opencpm.protocols.gsm.segmentation import Coding

from .support import message

TERMS = UcpTerms.of(read({}))
OLD = UcpTerms.of(read({"amsg": "ira"}))


@pytest.mark.parametrize(
    ("text", "terms", "coding", "count"),
    [
        ("plain", TERMS, Coding.GSM7, 1),
        ("€@[]", TERMS, Coding.GSM7, 1),
        ("x" * 161, TERMS, Coding.GSM7, 2),
        ("日本", TERMS, Coding.UCS2, 1),
        ("plain", OLD, Coding.GSM7, 1),
        ("a@b", OLD, Coding.UCS2, 1),
        ("x" * 200 + "€", OLD, Coding.UCS2, 3),
    ],
)
def test_the_cheapest_alphabet_that_the_centre_reads(text, terms, coding, count):
    segments = cut(message(text), terms)
    assert (segments.coding, len(segments.segments)) == (coding, count)
    assert fit(message(text), terms) == (count, (), None)


def test_losses_are_named():
    assert fit(message("it’s", subject="Lunch"), TERMS).losses == (
        "the subject is put before the text",
        "typographic characters are simplified",
    )


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((Part("image/png", b"x"),), Reason.UNSUPPORTED_MEDIA),
        ((text_part(""),), Reason.MALFORMED),
        ((text_part("x" * 60_000),), Reason.TOO_LARGE),
        ((text_part("x" * 2000),), Reason.TOO_LARGE),
    ],
)
def test_what_does_not_fit(parts, reason):
    assert fit(message(parts=parts), TERMS).error.reason is reason


def test_the_lower_limit_counts():
    with pytest.raises(SendError):
        cut(message("x" * 161), TERMS, limit=1)


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
    found = fit(message(text), UcpTerms.of(read({"type": "ucp", "alphabets": alphabets})))
    assert (found.segments, found.error.reason if found.error else None) == (segments, reason)
