"""Whatever comes, a client of YMSG raises nothing, and its parsers only their documented error."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.ymsg import Framer, Packet, SignOn, YmsgClient, YmsgError
from opencpm.protocols.ymsg.packet import encode, read_body
from opencpm.protocols.ymsg.services import Service
from opencpm.protocols.ymsg.text import pieces, plain

KEYS = st.sampled_from(
    [1, 3, 4, 5, 7, 8, 10, 13, 14, 15, 16, 19, 31, 47, 49, 52, 53, 57, 65, 66, 87, 88, 300, 301, 303]
)
PACKETS = st.builds(
    Packet,
    st.sampled_from([int(service) for service in Service]) | st.integers(0, 0xFFFF),
    st.sampled_from([0, 1, 3, 5, 7, 0x16, 0xFFFFFFFF]) | st.integers(0, 0xFFFFFFFF),
    st.lists(st.tuples(KEYS, st.binary(max_size=30).map(lambda b: b.replace(b"\xc0\x80", b""))), max_size=12).map(
        tuple
    ),
)


@given(st.binary(max_size=300))
def test_octets(data: bytes) -> None:
    with suppress(YmsgError):
        list(Framer().feed(b"YMSG" + data))
    with suppress(YmsgError):
        read_body(data)


@given(st.lists(PACKETS, max_size=15), st.integers(9, 16), st.integers(1, 50))
def test_any_conversation(packets: list[Packet], version: int, step: int) -> None:
    client = YmsgClient(SignOn("alice", "secret", version))
    client.start(0.0)
    stream = b"".join(encode(packet, 0) for packet in packets)
    for at in range(0, len(stream), step):
        client.receive(stream[at : at + step], float(at))
        client.take()
        client.poll(float(at))
    client.lost()


@given(PACKETS)
def test_packets_survive_the_wire(packet: Packet) -> None:
    assert list(Framer().feed(encode(packet, 10))) == [packet]


@given(st.text(max_size=2000))
def test_texts(text: str) -> None:
    plain(text)
    assert "".join(pieces(text)) == text
