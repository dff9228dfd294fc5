import pytest

from opencpm.protocols.fsk import frames1, frames2
from opencpm.protocols.fsk.frames import Fault, Say, sealed
from opencpm.protocols.fsk.frames1 import Protocol1
from opencpm.protocols.fsk.frames2 import Frame2Error, Protocol2, Text2, read_parameters, read_text

ONE, TWO = Protocol1(), Protocol2()
INFO_MO = (
    "1049470010010000110600000000000000120300020004131400466978747572652070726f746f636f6c2074776f"
    "17010001180c003434373730303930303132331b0100011c030000000025"
)
INFO_MT = (
    "113a38001001000011060000000000000012030002000413050048656c6c6f"
    "1408003131323330373330150b003032303739343630303030170100011c"
)


def test_protocol_1_frames_as_on_the_wire():
    assert ONE.establish().frame.hex() == "93006d"
    assert ONE.release().frame.hex() == "94006c"
    assert ONE.ack(b"").frame.hex() == "9502000069"
    assert ONE.refusal(0xFF).frame.hex() == "960300ff0068"
    assert ONE.refusal(0xD3).frame.hex() == "960300d30094"
    assert [ONE.again(fault).frame.hex() for fault in Fault] == ["9201016c", "9201026b", "9201036a", "92010469"]


@pytest.mark.parametrize(
    ("frame", "say", "cause"),
    [
        ("93006d", Say.ESTABLISH, 0),
        ("94006c", Say.RELEASE, 0),
        ("9502000069", Say.ACK, 0),
        ("95006b", Say.ACK, 0),
        ("960300d30094", Say.REFUSAL, 0xD3),
        ("96006a", Say.REFUSAL, 0xFF),
        ("9201036a", Say.AGAIN, 3),
        ("9a010164", Say.UNKNOWN, 0),
        ("1100ef", Say.EXTENDED, 0),
    ],
)
def test_protocol_1_is_understood(frame, say, cause):
    octets = bytes.fromhex(frame)
    assert sum(octets) & 0xFF == 0
    meaning = ONE.read(octets)
    assert (meaning.say, meaning.cause) == (say, cause)


def test_protocol_2_frames_as_on_the_wire():
    assert TWO.establish() == (b"", True)
    assert TWO.release().frame.hex() == "1700e9"
    assert TWO.released().frame.hex() == "1500eb"
    assert TWO.ack(b"").frame.hex() == "150604001f010000c1"
    text = Text2("Fixture protocol two", "447700900123")
    assert TWO.data(frames2.to_centre(text), False).frame.hex() == INFO_MO
    hello = Text2("Hello", "02079460000", "11230730")
    assert TWO.data(frames2.to_terminal(hello), True).frame.hex() == INFO_MT


def test_protocol_2_is_understood():
    meaning = TWO.read(bytes.fromhex(INFO_MO))
    assert meaning.say is Say.DATA
    assert read_text(meaning.payload)[:2] == ("Fixture protocol two", "447700900123")
    hello = read_text(TWO.read(bytes.fromhex(INFO_MT)).payload)
    assert hello[:3] == ("Hello", "02079460000", "11230730")
    assert TWO.read(bytes.fromhex("150604001f010000c1")).say is Say.ACK
    assert TWO.read(bytes.fromhex("1500eb")).say is Say.ACK
    assert TWO.read(bytes.fromhex("1700e9")).say is Say.RELEASE
    assert TWO.read(TWO.refusal(7).frame)[::2] == (Say.REFUSAL, 7)
    assert TWO.read(sealed(b"\x16\0")).say is Say.ENQUIRY
    assert TWO.read(sealed(b"\x13\0")).say is Say.AGAIN
    assert TWO.read(sealed(b"\x33\0")).say is Say.UNKNOWN
    assert TWO.read(sealed(b"\x90\0")).say is Say.EXTENDED


def test_dates_as_digits_or_as_numbers():
    payload = frames2.parameters(((0x13, b"x"), (0x14, bytes((1, 1, 2, 3, 0, 7, 3, 0)))))
    assert read_text(payload).when == "11230730"


@pytest.mark.parametrize("payload", ["13", "1305", "13050048", "1301004114ffff00"])
def test_a_parameter_longer_than_the_frame_is_an_error(payload):
    with pytest.raises(Frame2Error):
        read_parameters(bytes.fromhex(payload))


def test_a_message_without_text_is_an_error():
    with pytest.raises(Frame2Error):
        read_text(bytes.fromhex("10010000"))


def test_what_does_not_fit_one_frame_is_an_error():
    with pytest.raises(Frame2Error):
        frames2.encode(frames2.INFO_MO, bytes(254))
    assert len(frames1.encode(frames1.DATA, bytes(176))) == 179
