import pytest

from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.udh import Concat, Header
from opencpm.protocols.ucp.content import DATA, UCS2, UserData, content_of, is_ira, text_of, with_content
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.framing import Frame, decode, encode
from opencpm.protocols.ucp.operations import Message, frame_of, operation_of
from opencpm.protocols.ucp.originator import ALPHANUMERIC, encode_name

from .vectors import DELIVER, NOTIFICATION, SUBMIT, SUBMIT_NAME, SUBMIT_UCS2, wire

TO = Message("447700900123", "600600", nrq="1", nt="3")


def on_the_wire(trn, message):
    return encode(frame_of(trn, 51, message))


def test_gsm_text_is_written_as_worked_out():
    assert on_the_wire(2, with_content(TO, UserData(b"Hello \x1b\x65"))) == wire(SUBMIT)


def test_ucs2_is_written_as_worked_out():
    data = UserData("Hi 😀".encode("utf-16-be"), UCS2)
    assert on_the_wire(3, with_content(TO._replace(nt="7", vp="2411260730"), data)) == wire(SUBMIT_UCS2)


def test_a_part_from_a_name_is_written_as_worked_out():
    data = UserData(b"part one", header=udh.build(Concat(0xA7, 2, 1)))
    message = TO._replace(oadc=encode_name("CPM Test"), otoa=ALPHANUMERIC)
    assert on_the_wire(4, with_content(message, data)) == wire(SUBMIT_NAME)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (SUBMIT, "Hello €"),
        (SUBMIT_UCS2, "Hi 😀"),
        (SUBMIT_NAME, "part one"),
        (DELIVER, "Reply"),
        (
            NOTIFICATION,
            "Message for 447700900123, with identification 231126073015 has been delivered on 2026-11-23 at 07:30:42.",
        ),
    ],
)
def test_texts_are_read(frame, text):
    data = content_of(operation_of(decode(frame.encode())))
    assert text_of(data.dcs, [data.octets]) == text


def test_binary_is_no_text():
    data = UserData(b"\x00\xff", 0xF5)
    message = with_content(TO, data)
    assert (message.mt, message.nb, message.xser) == ("4", "0016", "0201F5")
    assert content_of(message) == data
    assert text_of(data.dcs, [data.octets]) is None
    assert content_of(Message(mt="4", msg="00FF")) == UserData(b"\x00\xff", DATA)


def test_packed_septets():
    packed = Message(mt="4", nb="0035", msg="E8329BFD06", xser="020100")
    assert text_of(0, [content_of(packed).octets]) == "hello"
    assert text_of(0, [content_of(packed._replace(nb="x")).octets]) == "hello"


def test_numbers_only():
    assert content_of(Message(mt="2", msg="12345")) == UserData(b"12345")
    assert content_of(Message()) == UserData()


def test_an_older_centre_writes_ira():
    assert content_of(Message(mt="3", msg="40"), "ira").octets == b"\x00"
    assert content_of(Message(mt="3", msg="40"), "gsm").octets == b"\x40"
    assert is_ira(b"plain text 1")
    assert not is_ira(b"\x00")  # @
    assert not is_ira(b"\x1b\x65")  # the euro sign
    assert not is_ira(b"\x02")  # $


def test_national_letters():
    assert text_of(0, [b"\x0b"], Header(locking_shift=1)) == "Ğ"


@pytest.mark.parametrize(
    "message",
    [
        Message(mt="3", msg="4"),
        Message(mt="4", msg="xx"),
        Message(mt="9", msg="41"),
        Message(mt="3", msg="41", xser="01"),
        Message(mt="3", msg="41" * 900),
    ],
)
def test_what_cannot_be_read(message):
    with pytest.raises(UcpError):
        content_of(message)


def test_a_surrogate_pair_cut_in_two():
    octets = "😀".encode("utf-16-be")
    assert text_of(UCS2, [octets[:2], octets[2:]]) == "😀"
    assert isinstance(decode(SUBMIT.encode()), Frame)
