"""Both recordings of a live server: our client says what the recorded one said, and understands all it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from opencpm.protocols.ymsg import Framer, Packet, SignOn, YmsgClient, requests
from opencpm.protocols.ymsg import events as e
from opencpm.protocols.ymsg.client import State
from opencpm.protocols.ymsg.errors import Kind
from opencpm.protocols.ymsg.packet import encode
from tests.protocols.ymsg.script import PASSWORD, Line, connections

ALL = [(version, number) for version in (9, 10) for number in range(len(connections(version)))]


def replayed(version: int, who: str, lines: Sequence[Line]) -> Iterator[tuple[Line, list[e.Event], bytes]]:
    """Play the server's lines to a client of ours; what it made of each, and what it said. Its password is the
    recorded one; the recorded client's own wishes are put where it spoke."""
    client = YmsgClient(SignOn(who, PASSWORD, version))
    client.start(0.0)
    assert client.take() == lines[0].octets
    for line in lines[1:]:
        if line.direction == "S":
            yield line, list(client.receive(line.octets, 1.0)), client.take()


@pytest.mark.parametrize(("version", "number"), ALL)
def test_every_packet_is_read_and_written_again(version: int, number: int) -> None:
    for line in connections(version)[number][1]:
        (packet,) = Framer().feed(line.octets)
        assert isinstance(packet, Packet)
        written = encode(packet, version if line.direction == "C" else 0)
        assert written == line.octets


@pytest.mark.parametrize(("version", "number"), ALL)
def test_the_login_is_octet_for_octet_the_recorded_one(version: int, number: int) -> None:
    who, lines = connections(version)[number]
    recorded = [line.octets for line in lines if line.direction == "C" and line.packet.service in (0x57, 0x54)]
    said = [out for _, _, out in replayed(version, who, lines) if out][: len(recorded)]
    if lines[-1].packet.text(66) == "13":  # the recorded client used another password
        assert said[0] == recorded[0]
    else:
        assert said == recorded


@pytest.mark.parametrize("version", [9, 10])
def test_a_day_of_alice(version: int) -> None:
    seen = [event for _, events, _ in replayed(version, *connections(version)[0]) for event in events]
    signed_in = seen[0]
    assert isinstance(signed_in, e.SignedIn)
    assert {c.user: c.groups for c in signed_in.contacts} == {"bob": ("Friends", "Buddies"), "carol": ()}
    assert e.Typing("bob", True) not in seen  # it was she who typed
    assert e.TextReceived("bob", "Hi") in seen
    assert e.ContactSettled("add", "nosuchuser", 3) in seen
    assert e.ContactSettled("remove", "bob", 0) in seen
    assert e.Joined("alice-1234", "bob") in seen
    assert e.RoomText("alice-1234", "bob", "conf reply") in seen
    assert e.Left("alice-1234", "bob") in seen
    assert e.Declined("alice-5678", "bob", "not now") in seen
    states = [p for ev in seen if isinstance(ev, e.PresenceChanged) for p in ev.presences if p.user == "bob"]
    assert [p.state for p in states if p.state] == [2, 99]
    assert [p.note for p in states if p.note] == ["custom away"]
    assert [p.online for p in states if not p.online]  # he left in between
    assert isinstance(seen[-1], e.Failed)  # thrown out by her second login
    assert seen[-1].trouble.kind is Kind.ELSEWHERE


@pytest.mark.parametrize("version", [9, 10])
def test_what_bob_is_told(version: int) -> None:
    his = [replayed(version, who, lines) for who, lines in connections(version) if who == "bob"]
    bob = [event for connection in his for _, events, _ in connection for event in events]
    assert e.TextReceived("alice", "Hello Bob ☃ x") in bob
    assert e.NudgeReceived("alice") in bob
    assert e.Typing("alice", True) in bob
    assert e.Typing("alice", False) in bob
    assert e.Invited("alice-1234", "alice", (), "join me") in bob
    assert e.FileOffered("alice", "photo.jpg") in bob
    stored = [event for event in bob if isinstance(event, e.TextReceived) and event.stored]
    assert sorted(event.text for event in stored) == ["offline one", "offline two"]
    assert all(event.sent_at > 1_790_000_000 for event in stored)


@pytest.mark.parametrize("version", [9, 10])
def test_refused_logins(version: int) -> None:
    failures = [
        event.trouble
        for who, lines in connections(version)
        for _, events, _ in replayed(version, who, lines)
        for event in events
        if isinstance(event, e.Failed) and event.step == "proof"
    ]
    assert {(t.kind, t.code) for t in failures} == {(Kind.CREDENTIALS, 13), (Kind.CREDENTIALS, 3)}


@pytest.mark.parametrize("version", [9, 10])
def test_requests_are_those_of_the_recorded_client(version: int) -> None:
    """Where the recorded client left out optional keys (63, 64), we do say them: as another of its texts does."""
    written = {line.octets for _, lines in connections(version) for line in lines if line.direction == "C"}
    ours = [
        requests.message(version, "alice", "bob", "Hello Bob ☃ <b>x</b>"),
        requests.typing(version, "alice", "bob", True),
        requests.typing(version, "alice", "bob", False),
        requests.add(version, "alice", "bob", "Friends", "please add me"),
        requests.remove("alice", "bob", "Friends"),
        requests.invite("alice", ["bob"], "alice-1234", "join me"),
        requests.join("bob", ["alice"], "alice-1234"),
        requests.room_text("alice", ["bob"], "alice-1234", "conf hello"),
        requests.leave("bob", ["alice"], "alice-1234"),
        requests.decline("bob", "alice", "alice-5678", "not now"),
        *requests.status(version, 0),
    ]
    assert [packet for packet in ours if encode(packet, version) not in written] == []


@pytest.mark.parametrize("version", [9, 10])
def test_the_recorded_refusal_of_a_file_is_ours(version: int) -> None:
    for who, lines in connections(version):
        for at, line in enumerate(lines):
            if line.direction == "S" and line.packet.get(49) == b"FILEXFER" and line.packet.number(13) == 1:
                recorded = next(x.octets for x in lines[at:] if x.direction == "C" and x.packet.service == 0x4D)
                refusal = requests.refuse_file(who, line.packet)
                assert refusal is not None
                assert encode(refusal, version) == recorded
                return
    raise AssertionError("no offer of a file in the recording")


@pytest.mark.parametrize("version", [9, 10])
def test_octets_may_come_one_by_one_or_all_at_once(version: int) -> None:
    who, lines = connections(version)[0]
    whole = b"".join(line.octets for line in lines if line.direction == "S")

    def played(step: int) -> list[e.Event]:
        client = YmsgClient(SignOn(who, PASSWORD, version))
        client.start(0.0)
        return [ev for at in range(0, len(whole), step) for ev in client.receive(whole[at : at + step], 0.0)]

    assert played(1) == played(7) == played(len(whole))
    assert played(1)


def test_the_machine_is_closed_at_the_end() -> None:
    who, lines = connections(10)[0]
    client = YmsgClient(SignOn(who, PASSWORD, 10))
    client.start(0.0)
    for line in lines:
        if line.direction == "S":
            client.receive(line.octets, 0.0)
    assert client.state is State.CLOSED
    assert client.next_timeout() is None
