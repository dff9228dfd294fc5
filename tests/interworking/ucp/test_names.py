import pytest

from opencpm.domain.numbering import NumberType
from opencpm.interworking.ucp.names import Originator, message_key, originator, sender_of
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.operations import Message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+447700900123", Originator("447700900123", "1139")),
        ("600600", Originator("600600")),
        ("CPM Test", Originator("0E436813442DCFE9", "5039")),
    ],
)
def test_sending(text, expected):
    assert originator(text) == expected


@pytest.mark.parametrize("text", ["", "twelve chars", "日本"])
def test_no_sender(text):
    with pytest.raises(UcpError):
        originator(text)


@pytest.mark.parametrize(
    ("oadc", "otoa", "expected"),
    [
        ("447700900123", "", (NumberType.UNKNOWN, "447700900123")),
        ("447700900123", "1139", (NumberType.INTERNATIONAL, "447700900123")),
        ("0E436813442DCFE9", "5039", (NumberType.ALPHANUMERIC, "CPM Test")),
        ("CPM", "5039", (NumberType.ALPHANUMERIC, "CPM")),
        ("", "", (NumberType.UNKNOWN, "")),
    ],
)
def test_receiving(oadc, otoa, expected):
    assert sender_of(Message(oadc=oadc, otoa=otoa)) == expected


def test_a_key_is_the_same_for_every_form_of_a_number():
    keys = {message_key("cpm", number, "231126073015") for number in ("447700900123", "00447700900123", "07700900123")}
    assert keys == {"cpm:0900123:231126073015"}
