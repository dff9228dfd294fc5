import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.text import parse_parameters, quote, split_list, unquote


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", []),
        ("a", ["a"]),
        ("a, b ,,c", ["a", "b", "c"]),
        ('"x, y" <sip:a>, <sip:b;x=1,2>', ['"x, y" <sip:a>', "<sip:b;x=1,2>"]),
        (r'"a\", b", c', [r'"a\", b"', "c"]),
        ('"open, never closed', ['"open, never closed']),
    ],
)
def test_lists_are_cut_outside_quotes_and_brackets(line, values):
    assert split_list(line) == values


def test_parameters_flags_quotes_and_case():
    assert parse_parameters(';Tag=a;lr ; x="q;u\\"o,te";Y = z') == {"tag": "a", "lr": "", "x": 'q;u"o,te', "y": "z"}


def test_the_first_of_a_repeated_parameter_stays_but_feature_tags_are_joined():
    assert parse_parameters(';a=1;a=2;+g.x="1";+g.x="2"') == {"a": "1", "+g.x": "1,2"}


@pytest.mark.parametrize("text", ['nonsense"', ';a="x"y', ";=1", ";a=1" * 3 + '";"'])
def test_left_over_text_raises(text):
    with pytest.raises(SipError):
        parse_parameters(text)


def test_too_many_parameters_raise():
    with pytest.raises(SipError):
        parse_parameters("".join(f";p{i}" for i in range(200)))


def test_quoting_goes_both_ways():
    for text in ("", "plain", 'with "quotes" and \\'):
        assert unquote(quote(text)) == text


@pytest.mark.parametrize("text", ['"\\' * 16_000, "<" * 32_000, '"' * 16_001])
def test_hostile_lines_stay_one_value(text):
    assert split_list(text) == [text]
    with pytest.raises(SipError):
        parse_parameters(text)
