"""Whatever comes, a client of YMSG raises nothing, and its parsers only their documented error."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, Part
from opencpm.interworking.yahoo import adapt
from opencpm.interworking.yahoo.names import Names, possible
from opencpm.protocols.ymsg import Framer, Packet, SignOn, YmsgClient, YmsgError, weblogin
from opencpm.protocols.ymsg.packet import encode, read_body
from opencpm.protocols.ymsg.services import Service
from opencpm.protocols.ymsg.text import LONGEST, LONGEST_OCTETS, pieces, plain

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


@given(st.text(max_size=400), st.lists(st.text(max_size=60), max_size=4))
def test_answers_of_the_login_host(text: str, cookies: list[str]) -> None:
    for answer in (text, f"0\r\n{text}", f"0\r\nymsgr=x\r\ncrumb=y\r\n{text}"):
        with suppress(weblogin.LoginRefused):
            assert weblogin.read_token(answer)
        with suppress(weblogin.LoginRefused):
            assert weblogin.read_proof(answer, cookies).crumb


PARTS = st.builds(
    Part, st.sampled_from(["text/plain", "text/plain;charset=utf-16", "image/png", ""]), st.binary(max_size=3000)
)


@given(st.lists(PARTS, max_size=3).map(tuple), st.text(max_size=20))
def test_messages_of_ours(parts: tuple[Part, ...], subject: str) -> None:
    """What goes is cut into pieces that a client takes, with nothing left out; what does not has a reason."""
    sender = Names("yahoo.test").address("alice")
    given_one = Message(
        id="m",
        message_id="m",
        sender=sender,
        recipients=(sender,),
        parts=parts,
        sent_at=0.0,
        received_at=0.0,
        origin="sip",
        subject=subject,
    )
    fit = adapt.fit(given_one, 5000)
    try:
        text = adapt.text_of(given_one, 5000)
    except SendError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert fit.error is not None
        assert fit.error.reason is refused.reason
        return
    found = adapt.split(text)
    assert fit.segments == len(found)
    assert "".join(found).replace(adapt.BLANK, "") == text.replace(adapt.BLANK, "")
    assert all(len(piece) <= LONGEST + 1 and len(piece.encode()) <= LONGEST_OCTETS + 3 for piece in found)


@given(st.text(max_size=120))
def test_ids(value: str) -> None:
    names = Names("yahoo.test")
    with suppress(SendError):
        user = names.user(value)
        assert possible(user)
        assert names.user(names.address(user).value) == user
