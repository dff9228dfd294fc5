import pytest

from opencpm.protocols.msnp import chunks, events, payload
from opencpm.protocols.msnp.errors import Kind, MsnpError
from opencpm.protocols.msnp.framing import encode
from opencpm.protocols.msnp.switchboard import SwitchboardClient


def opened() -> SwitchboardClient:
    client = SwitchboardClient("alice@example.com", "ticket")
    client.start(0.0)
    assert client.take() == b"USR 1 alice@example.com ticket\r\n"
    assert client.receive(b"USR 1 OK alice@example.com Alice\r\n", 0.0) == [events.Admitted(())]
    return client


def talking(caps: int = 0x40000020) -> SwitchboardClient:
    client = opened()
    client.call("bob@example.com", 0.0)
    client.receive(b"CAL 2 RINGING 11\r\n", 0.0)
    assert client.receive(f"JOI bob@example.com Bob {caps}\r\n".encode(), 0.0) == [
        events.Joined("bob@example.com", "Bob", caps)
    ]
    client.take()
    return client


def say(data: bytes, sender: str = "bob@example.com") -> bytes:
    return encode("MSG", sender, "Bob", payload=data)


def test_answering_an_invitation() -> None:
    client = SwitchboardClient("bob@example.com", "ticket", "77")
    client.start(0.0)
    assert client.take() == b"ANS 1 bob@example.com ticket 77\r\n"
    told = client.receive(b"IRO 1 1 1 alice@example.com Alice 1\r\nANS 1 OK\r\n", 0.0)
    assert told == [events.Admitted(("alice@example.com",))]


def test_bad_pass() -> None:
    client = SwitchboardClient("alice@example.com", "bogus")
    client.start(0.0)
    (failed,) = client.receive(b"911 1\r\n", 0.0)
    assert failed.trouble.kind is Kind.AUTHENTICATION
    assert client.closing()


def test_no_admission_in_time() -> None:
    client = SwitchboardClient("alice@example.com", "ticket")
    client.start(0.0)
    assert client.poll(client.next_timeout() or 0.0) == [events.Failed("USR", "no answer in time")]


def test_messages_need_somebody() -> None:
    client = opened()
    with pytest.raises(MsnpError):
        client.text("hello", 0.0)


def test_peer_offline() -> None:
    client = opened()
    client.call("bob@example.com", 0.0)
    (refused,) = client.receive(b"217 2\r\n", 0.0)
    assert (refused.verb, refused.subject, refused.trouble.kind) == ("CAL", "bob@example.com", Kind.OFFLINE)
    assert client.poll(31.0) == []


@pytest.mark.parametrize("rang", [True, False])
def test_peer_does_not_come(rang: bool) -> None:
    client = opened()
    client.call("bob@example.com", 0.0)
    if rang:
        assert client.receive(b"CAL 2 RINGING 11\r\n", 1.0) == [events.Ringing("bob@example.com", "11")]
    assert client.poll(30.0) == [events.NoAnswer("bob@example.com", rang)]


def test_ack_nak_and_silence() -> None:
    client = talking()
    first, second, third = (client.text(text, 1.0) for text in "abc")
    assert client.receive(f"ACK {first}\r\nNAK {second}\r\n".encode(), 2.0) == [
        events.Accepted(first),
        events.Lost(second, "not delivered (NAK)"),
    ]
    assert client.poll(61.0) == [events.Lost(third, "no acknowledgement in time")]


def test_an_ack_after_the_peer_left_counts_nothing() -> None:
    client = talking()
    trid = client.text("hello", 1.0)
    assert client.receive(f"BYE bob@example.com 1\r\nACK {trid}\r\n".encode(), 1.0) == [
        events.Lost(trid, "the peer left", gone=True),
        events.Left("bob@example.com", True, 0),
    ]


def test_server_closes_without_a_word() -> None:
    client = talking()
    trid = client.text("hello", 1.0)
    assert client.receive_eof(2.0) == [events.Lost(trid, "connection closed", gone=True), events.Closed(False)]


def test_leaving() -> None:
    client = talking()
    client.leave(1.0)
    assert client.take() == b"OUT\r\n"
    assert not client.closing()
    assert client.receive_eof(1.1) == [events.Closed(True)]


def test_too_long() -> None:
    client = talking()
    head = len(payload.text(""))
    client.text("x" * (1664 - head), 0.0)
    with pytest.raises(MsnpError):
        client.text("x" * (1665 - head), 0.0)


def test_long_text_in_chunks() -> None:
    alice, bob = talking(), talking()
    assert alice.takes_chunks
    assert not talking(caps=0).takes_chunks
    text = "schön " * 600
    assert len(alice.long_text(text, "{1}", 0.0)) == 3
    told = []
    for piece in chunks.split(payload.text_headers(), text.encode(), "{1}"):
        told += bob.receive(say(piece), 0.0)
    assert told == [events.Text("bob@example.com", "Bob", text)]


def test_what_is_said() -> None:
    client = talking()
    invite = b"Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 42\r\n"
    told = client.receive(
        say(payload.typing("bob@example.com"))
        + say(payload.text("hi"))
        + say(b"Content-Type: text/plain\r\nP4-Context: Bobby\r\n\r\nhi")
        + say(payload.nudge())
        + say(b"Content-Type: text/x-msnmsgr-datacast\r\n\r\nID: 2\r\n")
        + say(b"Content-Type: text/x-clientcaps\r\n\r\nx")
        + say(invite)
        + say(b"Content-Type: application/x-msnmsgrp2p\r\n\r\n\x00"),
        0.0,
    )
    assert told == [
        events.Typing("bob@example.com"),
        events.Text("bob@example.com", "Bob", "hi"),
        events.Text("bob@example.com", "Bobby", "hi"),
        events.Nudged("bob@example.com"),
        events.Offered("bob@example.com", "text/x-msmsgsinvite", "42"),
        events.PeerData("bob@example.com", payload.parse(b"Content-Type: application/x-msnmsgrp2p\r\n\r\n\x00")),
    ]
    client.decline("42", 0.0)
    assert b"Cancel-Code: REJECT" in client.take()


def test_places_of_presence_are_one_person() -> None:
    client = opened()
    client.call("bob@example.com", 0.0)
    told = client.receive(
        b"JOI bob@example.com;{a529} Bob 1:2\r\nJOI bob@example.com Bob 1:2\r\nJOI alice@example.com Alice 1\r\n"
        b"BYE bob@example.com;{a529}\r\nBYE bob@example.com\r\n",
        0.0,
    )
    assert told == [events.Joined("bob@example.com", "Bob", 1), events.Left("bob@example.com", False, 0)]


def test_idle() -> None:
    client = talking()
    assert client.next_timeout() == 300.0
    client.receive(say(payload.text("hi")), 100.0)
    assert client.poll(300.0) == []
    assert client.poll(400.0) == [events.Idle()]
    assert client.poll(401.0) == []


@pytest.mark.parametrize(
    "line", [b"JOI\r\n", b"BYE x\r\n", b"IRO 1 1 1\r\n", b"MSG x y 1\r\nz", b"XYZ 1\r\n", b"999 88\r\n"]
)
def test_garbled_lines_are_passed_over(line: bytes) -> None:
    client = talking()
    assert client.receive(line, 1.0) == []
    assert client.text("still here", 1.0)
