import pytest

from opencpm.protocols.msnp import events
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.errors import Kind, MsnpError
from opencpm.protocols.msnp.notification import NotificationClient, SignOn, State


def signing_on(dialect: str = "MSNP12") -> NotificationClient:
    client = NotificationClient(SignOn("alice@example.com", (dialect,)))
    client.start(0.0)
    client.receive(f"VER 1 {dialect}\r\nCVR 2 1 1 1 u u\r\n".encode(), 0.0)
    assert client.receive(b"USR 3 TWN S ct=1\r\n", 0.0) == [events.TicketWanted("ct=1")]
    client.ticket("t=1", 0.0)
    client.receive(b"USR 4 OK alice@example.com 1 0\r\n", 0.0)
    return client


def online(dialect: str = "MSNP12") -> NotificationClient:
    client = signing_on(dialect)
    lists = b"SYN 5 0 0 0 0\r\n" if dialect == "MSNP12" else b"SYN 5 1 0 0\r\n"
    client.receive(lists, 0.0)
    (signed_in,) = client.receive(b"CHG 6 NLN 0\r\n", 0.0)
    assert isinstance(signed_in, events.SignedIn)
    client.take()
    return client


def test_waits_for_all_announced_lists() -> None:
    client = signing_on()
    client.receive(b"SYN 5 t t 2 1\r\nLST N=a@x.y F=A 3 1\r\nLSG G 1\r\n", 0.0)
    assert b"CHG" not in client.take()
    client.receive(b"LST N=broken F=B 3 1\r\n", 0.0)
    assert client.take().endswith(b"CHG 6 NLN 1073741856\r\n")
    (signed_in,) = client.receive(b"CHG 6 NLN 1073741856\r\n", 0.0)
    assert [contact.address for contact in signed_in.contacts] == ["a@x.y"]


def test_lists_that_never_end() -> None:
    client = signing_on()
    client.receive(b"SYN 5 t t 2 1\r\n", 0.0)
    assert client.next_timeout() == 30.0
    assert client.poll(29.0) == []
    assert client.poll(30.0) == [events.Failed("SYN", "the lists are incomplete")]
    assert client.closing()


def test_no_dialect_in_common() -> None:
    client = NotificationClient(SignOn("alice@example.com"))
    client.start(0.0)
    assert client.take() == b"VER 1 MSNP18 MSNP15 MSNP12 MSNP8 CVR0\r\n"
    assert client.receive(b"VER 1 0\r\n", 0.0) == [events.Failed("VER", "no dialect in common")]


def test_bad_ticket() -> None:
    client = signing_on()
    fresh = NotificationClient(SignOn("alice@example.com"))
    fresh.start(0.0)
    (failed,) = fresh.receive(b"911 1\r\n", 0.0)
    assert failed.trouble.kind is Kind.AUTHENTICATION
    (failed,) = client.receive(b"600 5\r\n", 0.0)
    assert (failed.step, failed.trouble.retry_after) == ("SYN", 60)


def test_redirect_during_login() -> None:
    client = NotificationClient(SignOn("alice@example.com"))
    client.start(0.0)
    (event,) = client.receive(b"VER 1 MSNP12\r\nCVR 2 1 1 1\r\nXFR 3 NS 127.0.0.2:1865 0 127.0.0.1:1863\r\n", 0.0)
    assert event == events.Redirected(("127.0.0.2", 1865))


def test_login_step_without_answer() -> None:
    client = NotificationClient(SignOn("alice@example.com"))
    client.start(5.0)
    assert client.next_timeout() == 35.0
    assert client.poll(35.0) == [events.Failed("VER", "no answer in time")]


def test_challenge() -> None:
    client = online()
    client.receive(b"CHL 0 22210219642164014968\r\n", 1.0)
    assert client.take() == b"QRY 7 PROD0090YUAUV{2B 32\r\n85ecb0db8f32113df79ce0892b9a102c"
    assert client.receive(b"QRY 7\r\n", 1.0) == []
    client.receive(b"CHL 0 1\r\n", 1.0)
    (failed,) = client.receive(b"540 8\r\n", 1.0)
    assert isinstance(failed, events.Failed)


def test_keepalive() -> None:
    client = online()
    client.receive(b"QNG 60\r\n", 10.0)
    assert client.next_timeout() == 70.0
    client.poll(70.0)
    assert client.take() == b"PNG\r\n"
    assert client.next_timeout() == 100.0
    assert client.poll(100.0) == [events.Failed("ping", "the server does not answer")]


def test_switchboard_and_its_refusal() -> None:
    client = online()
    first, second, third = (client.switchboard(1.0) for _ in range(3))
    told = client.receive(f"XFR {first} SB 127.0.0.1:1864 CKI t\r\n913 {second}\r\n".encode(), 1.0)
    assert told[0].trid == first
    assert (told[1].verb, told[1].trouble.code) == ("XFR", 913)
    client.receive(b"QNG 60\r\n", 1.0)
    assert client.poll(31.0) == [events.Refused(third, "XFR", None)]
    assert client.receive(f"713 {third}\r\n".encode(), 32.0) == []
    assert client.state is State.ONLINE


def test_contacts_come_and_go() -> None:
    client = online()
    trid = client.add(Lists.FL, "bob@x.y", "Bob B", 1.0)
    assert client.take() == f"ADC {trid} FL N=bob@x.y F=Bob%20B\r\n".encode()
    (event,) = client.receive(f"ADC {trid} FL N=bob@x.y F=Bob%20B C=guid\r\n".encode(), 1.0)
    assert (event.trid, event.added, event.contact.name) == (trid, True, "Bob B")
    (event,) = client.receive(b"ADC 0 RL N=bob@x.y F=Bob\r\n", 1.0)
    assert event.contact.lists == Lists.FL | Lists.RL
    trid = client.remove(Lists.FL, "bob@x.y", 1.0)
    assert client.take() == f"REM {trid} FL guid\r\n".encode()
    (event,) = client.receive(f"REM {trid} FL guid\r\n".encode(), 1.0)
    assert event.contact.lists == Lists.RL
    assert list(client.contacts) == ["bob@x.y"]


def test_dialect_8_lists() -> None:
    client = online("MSNP8")
    client.add(Lists.AL, "bob@x.y", "", 1.0)
    assert client.take() == b"ADD 7 AL bob@x.y bob@x.y\r\n"


def test_signed_in_elsewhere() -> None:
    client = online()
    assert client.receive(b"OUT OTH\r\nNLN NLN a@x.y A 0\r\n", 1.0) == [events.SignedOff("OTH")]
    assert client.receive_eof(2.0) == []


def test_sign_off() -> None:
    client = online()
    client.sign_off(1.0)
    assert client.take() == b"OUT\r\n"
    assert not client.closing()
    assert client.receive_eof(1.5) == [events.Closed(True)]
    assert client.closing()


def test_sign_off_without_an_answer() -> None:
    client = online()
    client.sign_off(1.0)
    assert client.next_timeout() == 6.0
    assert client.poll(6.0) == [events.Closed(True, answered=False)]


def test_nothing_may_be_asked_before_sign_on() -> None:
    client = signing_on()
    for call in (client.switchboard, lambda now: client.status("BSY", now)):
        with pytest.raises(MsnpError):
            call(1.0)
    with pytest.raises(MsnpError):
        online().status("FLN", 1.0)


@pytest.mark.parametrize(
    "line", [b"NLN\r\n", b"NLN NLN x\r\n", b"RNG 1\r\n", b"ADC 0 ZZ N=a@b\r\n", b"FOO 1\r\n", b"LST\r\n"]
)
def test_garbled_lines_are_passed_over(line: bytes) -> None:
    client = online()
    assert client.receive(line + b"QNG 50\r\n", 1.0) == []
    assert client.state is State.ONLINE


def test_what_is_not_msnp_ends_the_connection() -> None:
    client = online()
    (failed,) = client.receive(b"\x16\x03\x01\r\n", 1.0)
    assert failed.step == "read"
    assert client.receive(b"QNG\r\n", 1.0) == []
