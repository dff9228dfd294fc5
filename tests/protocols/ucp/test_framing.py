import pytest

from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.framing import Frame, FrameBuffer, checksum, decode, encode

from .vectors import ALERT, CHECK, OPERATIONS, RESULTS, SUBMIT, wire


@pytest.mark.parametrize("frame", [*OPERATIONS, *RESULTS])
def test_every_frame_comes_back(frame):
    assert encode(decode(frame.encode())) == wire(frame)


def test_the_public_check_vector():
    decoded = decode(CHECK.encode())
    assert decoded == Frame(0, False, 1, ("01234567890", "09876543210", "", "3", "53686F7274204D657373616765"))
    assert checksum(CHECK[:-2].encode()) == 0xD9


@pytest.mark.parametrize(
    ("frame", "ec"),
    [
        (ALERT[:-2] + "37", 1),
        (ALERT.replace("cpm", "cpn"), 1),
        ("01/00026/O/31/cpm/0539/37", 2),
        ("01/00025/X/31/cpm/0539/3F", 2),
        ("", 2),
        ("01/00025/O/31/", 2),
    ],
)
def test_what_is_wrong(frame, ec):
    with pytest.raises(UcpError) as raised:
        decode(frame.encode())
    assert raised.value.ec == ec


def test_an_error_names_the_operation_to_answer():
    with pytest.raises(UcpError) as raised:
        decode((ALERT[:-2] + "37").encode())
    assert (raised.value.trn, raised.value.ot) == (1, 31)


@pytest.mark.parametrize("field", ["a/b", "a\x02", "a\x03", "é"])
def test_a_field_cannot_break_the_frame(field):
    with pytest.raises(UcpError):
        encode(Frame(0, False, 31, (field, "")))


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_stream_is_cut_anywhere(step):
    data = b"\r\n" + wire(ALERT) + b"noise" + wire(SUBMIT, ALERT)
    buffer = FrameBuffer()
    frames = [frame for at in range(0, len(data), step) for frame in buffer.feed(data[at : at + step])]
    assert frames == [ALERT.encode(), SUBMIT.encode(), ALERT.encode()]


def test_a_second_stx_begins_anew():
    assert list(FrameBuffer().feed(b"\x0212/000" + wire(ALERT))) == [ALERT.encode()]


@pytest.mark.parametrize("data", [b"\x02" + b"x" * 3000, b"\x02" + b"x" * 3000 + b"\x03"])
def test_a_frame_that_is_too_long_ends_the_stream(data):
    good = []
    with pytest.raises(UcpError):
        good.extend(FrameBuffer().feed(wire(ALERT) + data))
    assert good == [ALERT.encode()]


def test_noise_is_not_kept():
    buffer = FrameBuffer()
    assert list(buffer.feed(b"x" * 5000)) == []
    assert list(buffer.feed(wire(ALERT))) == [ALERT.encode()]
