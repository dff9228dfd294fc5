import pytest

from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.framing import FrameBuffer

from . import vectors

STREAM = b"".join(vectors.ALL.values())


@pytest.mark.parametrize("step", [1, 3, 16, 100, len(STREAM)])
def test_any_slicing_gives_the_same_pdus(step):
    buffer, frames = FrameBuffer(), []
    for at in range(0, len(STREAM), step):
        buffer.feed(STREAM[at : at + step], frames)
    assert frames == list(vectors.ALL.values())


@pytest.mark.parametrize(
    ("header", "sequence"), [("0000000F00000015000000000000002A", 0x2A), ("7FFFFFFF", 0), ("00000000", 0)]
)
def test_an_impossible_length(header, sequence):
    buffer, frames = FrameBuffer(), []
    with pytest.raises(SmppError) as caught:
        buffer.feed(vectors.ALL["ENQUIRE"] + bytes.fromhex(header), frames)
    assert frames == [vectors.ALL["ENQUIRE"]]
    assert (caught.value.status, caught.value.sequence) == (2, sequence)
