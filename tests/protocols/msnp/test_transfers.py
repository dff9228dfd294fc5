"""Files over a switchboard: two machines joined in memory, packets and texts by themselves, and what is refused."""

from __future__ import annotations

import itertools

import pytest

from opencpm.protocols.msnp import p2p, payload, slp
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.p2p import Packet
from opencpm.protocols.msnp.slp import FileOffer
from opencpm.protocols.msnp.transfers import FileCame, FileEnded, FileOffered, FileTaken, Transfers

ALICE, BOB = "alice@x.y", "bob@x.y"
PLACE = ";{F52973B6-C926-4BAD-9BA8-7C1E840E4AB0}"


def machine(me: str, limit: int = 100_000) -> Transfers:
    numbers, guids = itertools.count(1000), itertools.count(1)
    return Transfers(me, limit, lambda: f"{{{next(guids):08X}-0000-0000-0000-000000000000}}", lambda: next(numbers))


class Pair:
    """Alice sends, Bob receives."""

    def __init__(self, place: str = "", limit: int = 100_000) -> None:
        self.alice, self.bob = machine(ALICE + place), machine(BOB + place, limit)
        self.to_bob = BOB + place
        self.told: dict[str, list[object]] = {ALICE: [], BOB: []}
        self.payloads: list[bytes] = []

    def run(self) -> None:
        while self.alice.outgoing or self.bob.outgoing:
            for source, who, other, name in ((self.alice, ALICE, self.bob, BOB), (self.bob, BOB, self.alice, ALICE)):
                while source.outgoing:
                    data = source.outgoing.popleft()
                    self.payloads.append(data)
                    self.told[name] += other.receive(who, payload.parse(data))


@pytest.mark.parametrize("place", ["", PLACE])
@pytest.mark.parametrize("size", [1, 1202, 1203, 50_000])
def test_a_file(place: str, size: int) -> None:
    pair, content = Pair(place), bytes(number % 251 for number in range(size))
    session = pair.alice.offer(pair.to_bob, "schön.jpg", content)
    pair.run()
    assert pair.told[BOB] == [FileOffered(session, ALICE, FileOffer("schön.jpg", size))]
    pair.bob.accept(session)
    pair.run()
    assert pair.told[BOB][1:] == [FileCame(session, ALICE, FileOffer("schön.jpg", size), content)]
    assert pair.told[ALICE] == []  # nothing is confirmed before it is kept
    pair.bob.confirm(session)
    pair.run()
    assert pair.told[ALICE] == [FileTaken(session)]
    assert all(len(data) <= payload.MAX_PAYLOAD for data in pair.payloads)


def test_declined() -> None:
    pair = Pair()
    session = pair.alice.offer(BOB, "a.txt", b"x")
    pair.run()
    pair.bob.decline(session)
    pair.run()
    assert pair.told[ALICE] == [FileEnded(session, declined=True)]


def test_given_up_by_either_side() -> None:
    for quitter in ("alice", "bob"):
        pair = Pair()
        session = pair.alice.offer(BOB, "a.txt", b"x" * 5000)
        pair.run()
        getattr(pair, quitter).abandon(session)
        pair.run()
        assert FileEnded(session) in pair.told[BOB if quitter == "alice" else ALICE]


def test_larger_than_said_or_than_allowed() -> None:
    pair = Pair(limit=100)
    session = pair.alice.offer(BOB, "a.txt", b"x" * 5000)
    pair.run()
    pair.bob.accept(session)
    pair.run()
    assert pair.told[BOB][1:] == [FileEnded(session)]
    assert pair.told[ALICE] == [FileEnded(session)]


def test_data_before_it_was_accepted_is_passed_over() -> None:
    pair = Pair()
    session = pair.alice.offer(BOB, "a.txt", b"xyz")
    pair.run()
    (packet,) = p2p.pieces(session, 5, 6, b"xyz", p2p.FILE_DATA, 2)
    assert pair.bob.receive(ALICE, payload.parse(p2p.build(packet, BOB))) == []


def test_what_is_for_others_is_passed_over() -> None:
    (packet,) = p2p.pieces(0, 5, 6, b"INVITE x MSNSLP/1.0\r\n\r\n\0", 0, 0)
    for dest in ("carol@x.y", BOB + ";{another place}"):
        bob = machine(BOB + PLACE)
        assert bob.receive(ALICE, payload.parse(p2p.build(packet, dest))) == []
        assert not bob.outgoing


def texts(out: Transfers) -> list[slp.Slp]:
    """What was said in session 0, without acknowledgements."""
    packets = [p2p.parse(payload.parse(data).body) for data in out.outgoing]
    return [slp.parse(packet.data) for packet in packets if not packet.acknowledges and not packet.session]


def invite(kind: str, body: dict[str, str | int]) -> bytes:
    text = slp.request("INVITE", BOB, ALICE, "{B}", "{C}", kind, body)
    (packet,) = p2p.pieces(0, 77, 88, text, 0, 0)
    return p2p.build(packet, BOB)


@pytest.mark.parametrize(
    "body",
    [
        {"EUF-GUID": slp.OBJECT, "SessionID": 9, "AppID": 1, "Context": "eA=="},
        {"EUF-GUID": slp.FILE, "SessionID": 9, "AppID": 2, "Context": "!"},
        {"EUF-GUID": slp.FILE, "SessionID": 0, "AppID": 2, "Context": "eA=="},
    ],
    ids=["picture", "context", "session"],
)
def test_anything_else_is_acknowledged_and_declined(body: dict[str, str | int]) -> None:
    bob = machine(BOB)
    assert bob.receive(ALICE, payload.parse(invite(slp.SESSION_BODY, body))) == []
    first = p2p.parse(payload.parse(bob.outgoing[0]).body)
    assert (first.flags, first.ack_ident, first.ack_unique) == (p2p.ACKNOWLEDGEMENT, 77, 88)
    (said,) = texts(bob)
    assert (said.status, said.headers["call-id"], said.headers["cseq"]) == (603, "{C}", "1")
    assert said.headers["to"] == f"<msnmsgr:{ALICE}>"
    assert said.headers["via"].endswith("branch={B}")


def test_no_connection_of_our_own_is_offered() -> None:
    bob = machine(BOB)
    bob.receive(ALICE, payload.parse(invite(slp.TRANSPORT_BODY, {"Bridges": "TRUDPv1 TCPv1"})))
    (said,) = texts(bob)
    assert (said.status, said.content_type, said.body["listening"]) == (200, slp.TRANSPORT_ANSWER, "false")


def test_too_many_at_a_time() -> None:
    alice = machine(ALICE)
    for _ in range(8):
        alice.offer(BOB, "a", b"x")
    with pytest.raises(MsnpError):
        alice.offer(BOB, "a", b"x")


def test_header_as_documented() -> None:
    packet = Packet(1, 2, 3, 10, 0x20, 5, 6, 7, b"abc", 1)
    data = payload.parse(p2p.build(packet, BOB)).body
    assert data.hex() == (
        "01000000" "02000000" "0300000000000000" "0a00000000000000" "03000000" "20000000" "05000000" "06000000"
        "0700000000000000" "616263" "00000001"
    )  # fmt: skip
    assert p2p.parse(data) == packet


@pytest.mark.parametrize("data", [b"", bytes(47), bytes(16) + b"\x05" + bytes(31), bytes(24) + b"\x05" + bytes(30)])
def test_packets_that_cannot_be(data: bytes) -> None:
    with pytest.raises(MsnpError):
        p2p.parse(data + b"" if len(data) < 48 else data[:24] + b"\xff\xff\x00\x00" + data[28:])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.txt", "a.txt"),
        ("C:\\x\\evil.exe", "evil.exe"),
        ("../../etc/passwd", "passwd"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_names_of_files(name: str, shown: str) -> None:
    assert slp.read_file_context(slp.file_context(FileOffer(name, 7))) == FileOffer(shown, 7)


def test_a_gap_drops_the_message() -> None:
    assembler = p2p.Assembler(10_000)
    one, two, three = p2p.pieces(1, 2, 3, b"x" * 3000, 0, 0)
    assert assembler.add(one) is None
    assert assembler.add(three) is None
    assert assembler.add(two) is None
    with pytest.raises(MsnpError):
        assembler.add(one._replace(total=20_000))
