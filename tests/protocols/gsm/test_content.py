import pytest

from opencpm.protocols.gsm.content import NoText, Terms, TooLong, losses, prepared, reference_of, segments_of
from opencpm.protocols.gsm.segmentation import Coding

TERMS = Terms()


def test_the_subject_goes_first():
    assert prepared("see you", "Lunch", TERMS) == "Lunch: see you"
    assert losses("see you", "Lunch", "Lunch: see you", TERMS) == ("the subject is put before the text",)


def test_what_was_simplified_is_said():
    ready = prepared("it’s", "", TERMS)
    assert ready == "it's"
    assert losses("it’s", "", ready, TERMS) == ("typographic characters are simplified",)
    assert losses("naïve", "", prepared("naïve", "", TERMS), TERMS) == ()


def test_a_receiver_that_takes_ucs2_only():
    cut = segments_of("plain", Terms(gsm7=False, languages=(1,)))
    assert cut.coding is Coding.UCS2
    assert cut.segments[0].content == "plain".encode("utf-16-be")


def test_nothing_and_too_much():
    with pytest.raises(NoText):
        prepared("", "", TERMS)
    with pytest.raises(TooLong):
        prepared("x" * 60_000, "", TERMS)
    with pytest.raises(TooLong, match="more than 2 SMS"):
        segments_of("x" * 400, TERMS, limit=2)


def test_a_reference_is_the_same_for_every_attempt():
    assert reference_of("d1") == reference_of("d1") != reference_of("d2")
    assert 0 <= reference_of("d1") < 1 << 16
