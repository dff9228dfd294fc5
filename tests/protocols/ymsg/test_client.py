"""The login in all versions, keepalive, and every way a connection can end."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg import Packet, SignOn, YmsgClient, YmsgError, requests
from opencpm.protocols.ymsg import events as e
from opencpm.protocols.ymsg.client import AT_LATEST, PING, SILENCE, State
from opencpm.protocols.ymsg.errors import Kind
from opencpm.protocols.ymsg.packet import ERROR, Framer, encode, pairs
from opencpm.protocols.ymsg.services import CONTINUED, METHOD_TABLES, METHOD_TOKEN, WEB_LOGIN, Service

CHALLENGE = "bElJzkkNT3O1gY76zyU3dw--"


class Bench:
    """A client and what it says; the server's side is played by hand."""

    def __init__(self, version: int = 10, **more: object) -> None:
        self.client = YmsgClient(SignOn("alice", "123456", version, **more))  # type: ignore[arg-type]
        self.now = 100.0
        self.client.start(self.now)

    def hears(self, service: int, status: int = 1, *values: tuple[int, str | bytes | int]) -> list[e.Event]:
        return list(self.client.receive(encode(Packet(service, status, pairs(*values)), 0), self.now))

    def said(self) -> list[Packet]:
        return [packet for packet in Framer().feed(self.client.take()) if isinstance(packet, Packet)]

    def online(self) -> Bench:
        self.hears(Service.VERIFY)
        self.hears(Service.AUTH, 1, (94, CHALLENGE))
        self.hears(Service.LIST, 0, (87, "Friends:bob\n"), (88, ""))
        self.client.take()
        assert self.client.state is State.ONLINE
        return self


def failure(events: list[e.Event]) -> e.Failed:
    (event,) = events
    assert isinstance(event, e.Failed)
    return event


def test_invisible_from_the_first_moment() -> None:
    bench = Bench(invisible=True)
    bench.hears(Service.VERIFY)
    bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    assert bench.said()[-1].status == 12


@pytest.mark.parametrize("version", [15, 16])
def test_the_web_login(version: int) -> None:
    bench = Bench(version)
    bench.hears(Service.VERIFY)
    assert bench.hears(Service.AUTH, 1, (94, CHALLENGE), (13, METHOD_TOKEN)) == [e.TokenWanted(CHALLENGE)]
    bench.client.take()
    bench.client.token("crumb", ("Y=1", "T=2", "B=3"), bench.now)
    (proof,) = bench.said()
    assert (proof.service, proof.status, proof.text(277), proof.text(59)) == (Service.AUTHRESP, WEB_LOGIN, "Y=1", "B=3")
    assert bench.hears(Service.LIST, 0, (89, "alice")) == []
    friends = [(302, 318), (300, 318), (65, "Friends"), (302, 319), (300, 319), (7, "bob"), (301, 319)]
    assert bench.hears(Service.LIST_15, CONTINUED, *friends) == []
    rest = [(300, 319), (7, "carol"), (223, 1), (301, 319), (303, 319), (301, 318), (303, 318)]
    (signed_in,) = bench.hears(Service.LIST_15, 0, *rest)
    assert isinstance(signed_in, e.SignedIn)
    assert [(c.user, c.groups, c.pending) for c in signed_in.contacts] == [
        ("bob", ("Friends",), False),
        ("carol", ("Friends",), True),
    ]
    (there,) = bench.hears(Service.STATUS_15, 0, (300, 315), (7, "bob"), (10, 2), (13, 1), (301, 315))
    assert isinstance(there, e.PresenceChanged)
    assert there.presences[0].state == 2


def test_a_login_that_nobody_has_any_more() -> None:
    bench = Bench(12)
    bench.hears(Service.VERIFY)
    assert failure(bench.hears(Service.AUTH, 1, (94, "x" * 90), (13, METHOD_TABLES))).trouble.kind is Kind.UNSUPPORTED


@pytest.mark.parametrize(
    ("code", "kind"),
    [(3, Kind.CREDENTIALS), (13, Kind.CREDENTIALS), (14, Kind.CREDENTIALS), (99, Kind.TEMPORARY)],
)
def test_a_refused_login(code: int, kind: Kind) -> None:
    bench = Bench()
    bench.hears(Service.VERIFY)
    bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    assert failure(bench.hears(Service.AUTHRESP, ERROR, (66, code))).trouble.kind is kind
    assert bench.client.state is State.CLOSED


def test_a_server_that_takes_nobody_or_not_this_version() -> None:
    assert failure(Bench().hears(Service.VERIFY, 2)).step == "hello"
    assert failure(Bench().hears(Service.PROTOCOL_ERROR, 0)).trouble.kind is Kind.UNSUPPORTED


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_silence_at_every_step(steps: int) -> None:
    bench = Bench(step_timeout=5.0)
    if steps > 0:
        bench.hears(Service.VERIFY)
    if steps > 1:
        bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    assert bench.client.next_timeout() == 105.0
    assert bench.client.poll(104.9) == []
    assert failure(list(bench.client.poll(105.0))).trouble.text == "the server did not answer"


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_lost_at_every_step(steps: int) -> None:
    bench = Bench()
    if steps > 0:
        bench.hears(Service.VERIFY)
    if steps > 1:
        bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    assert failure(list(bench.client.lost())).trouble.kind is Kind.TEMPORARY
    assert bench.client.lost() == []


def test_a_list_in_pieces() -> None:
    bench = Bench()
    bench.hears(Service.VERIFY)
    bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    assert bench.hears(Service.LIST, CONTINUED, (87, "Friends:bob,ca")) == []
    (signed_in,) = bench.hears(Service.LIST, 0, (87, "rol\nWork:bob\n"), (88, "mallory,bob"))
    assert isinstance(signed_in, e.SignedIn)
    assert [(c.user, c.groups, c.ignored) for c in signed_in.contacts] == [
        ("bob", ("Friends", "Work"), True),
        ("carol", ("Friends",), False),
        ("mallory", (), True),
    ]


def test_keepalive_where_the_server_answers() -> None:
    bench = Bench().online()
    due = bench.client.next_timeout()
    assert due == bench.now + SILENCE
    bench.client.poll(due)
    assert [p.service for p in bench.said()] == [Service.KEEPALIVE]
    bench.now = due + 1
    bench.hears(Service.KEEPALIVE, 0, (1, "alice"))
    due = bench.now + SILENCE
    bench.client.poll(due)
    gone = failure(list(bench.client.poll(bench.client.next_timeout() or 0)))
    assert gone.trouble.text == "the server has gone silent"


def test_a_server_that_never_answered_is_not_given_up() -> None:
    bench = Bench().online()
    now = bench.now
    for _ in range(20):
        now = bench.client.next_timeout() or 0
        assert bench.client.poll(now) == []
    assert now > bench.now + PING
    assert {p.service for p in bench.said()} == {Service.KEEPALIVE, Service.PING}
    assert AT_LATEST < PING


def test_thrown_out_gone_down_and_goodbye() -> None:
    assert failure(Bench().online().hears(Service.LOGOFF, ERROR)).trouble.kind is Kind.ELSEWHERE
    assert failure(Bench().online().hears(Service.LOGOFF, ERROR, (66, 28))).trouble.kind is Kind.TEMPORARY
    assert Bench().online().hears(Service.LOGOFF, 0) == [e.Closed(False)]
    bench = Bench().online()
    bench.client.sign_off()
    assert [p.service for p in bench.said()] == [Service.LOGOFF]
    assert bench.client.receive(b"anything", 0.0) == []


def test_no_yahoo_at_all() -> None:
    bench = Bench()
    assert failure(list(bench.client.receive(b"HTTP/1.1 400 Bad Request\r\n", 0.0))).step == "reading"


def test_a_packet_that_cannot_be_read_costs_only_itself() -> None:
    bench = Bench().online()
    header = encode(Packet(Service.MESSAGE, 1), 0)
    bad = header[:8] + b"\0\x05" + header[10:] + b"x\xc0\x80y\xc0"
    assert bench.client.receive(bad, 0.0) == []
    assert bench.hears(Service.MESSAGE, 1, (4, "bob"), (14, "still here")) == [e.TextReceived("bob", "still here")]


def test_texts_of_version_16_are_confirmed_by_their_id() -> None:
    bench = Bench(16)
    bench.hears(Service.VERIFY)
    bench.hears(Service.AUTH, 1, (94, CHALLENGE))
    bench.hears(Service.LIST_15, 0, (303, 318))
    bench.client.take()
    assert bench.hears(Service.MESSAGE, 1, (4, "bob"), (14, "hi"), (429, "id-1")) == [
        e.TextReceived("bob", "hi", ident="id-1")
    ]
    bench.client.put(requests.acknowledge("alice", "bob", "id-1"))
    bench.client.put(requests.message(16, "alice", "bob", "hello", "id-2"))
    confirmed, text = bench.said()
    assert (confirmed.service, confirmed.text(430), text.text(429)) == (Service.MESSAGE_ACK, "id-1", "id-2")
    assert bench.hears(Service.MESSAGE_ACK, 0, (4, "bob"), (430, "id-2")) == [e.TextAcknowledged("bob", "id-2")]


def test_contact_requests_old_and_new() -> None:
    assert Bench().online().hears(Service.CONTACTNEW, 3, (1, "alice"), (3, "Bob"), (14, "hi")) == [
        e.ContactAsked("bob", "hi", False)
    ]
    bench = Bench(13).online()
    asked = bench.hears(Service.AUTHORIZATION, 3, (4, "bob"), (5, "alice"), (14, "hi"))
    assert asked == [e.ContactAsked("bob", "hi", True)]
    bench.client.put(requests.answer(13, "alice", "bob", True), requests.answer(13, "alice", "bob", False, "no"))
    assert [p.number(13) for p in bench.said()] == [1, 2]
    assert requests.answer(10, "alice", "bob", True) is None
    assert bench.hears(Service.CONTACTNEW, 7, (3, "bob"), (14, "no")) == [e.ContactRefused("bob", "no")]


def test_own_presence_in_old_and_new_versions() -> None:
    old = requests.status(10, 2)
    assert [(p.service, p.status, p.number(10)) for p in old] == [(Service.ISAWAY, 2, 2)]
    noted = requests.status(10, 0, "at the fountain")
    assert [(p.service, p.status, p.text(19)) for p in noted] == [(Service.ISAWAY, 99, "at the fountain")]
    assert [p.service for p in requests.status(15, 12)] == [Service.VISIBLE_TOGGLE]
    assert [p.service for p in requests.status(15, 2)] == [Service.VISIBLE_TOGGLE, Service.STATUS_UPDATE]


def test_nothing_is_sent_before_the_login() -> None:
    with pytest.raises(YmsgError):
        Bench().client.put(requests.nudge(10, "alice", "bob"))
    with pytest.raises(YmsgError):
        SignOn("alice", "x", 17)
    with pytest.raises(YmsgError):
        Bench().client.token("c", ("", "", ""), 0.0)
    assert "123456" not in repr(SignOn("alice", "123456"))


def test_an_answered_keepalive_proves_what_was_read_before_it() -> None:
    bench = Bench().online()
    assert [bench.client.keepalive(bench.now), bench.client.keepalive(bench.now)] == [1, 2]
    assert [packet.service for packet in bench.said()] == [Service.KEEPALIVE, Service.KEEPALIVE]
    assert bench.hears(Service.KEEPALIVE, 0, (1, "alice")) == [e.KeptAlive(1)]
    bench.now += 2 * AT_LATEST
    bench.client.poll(bench.now)  # the machine's own ones are counted too
    assert bench.hears(Service.KEEPALIVE, 0, (1, "alice")) == [e.KeptAlive(2)]
    assert bench.hears(Service.KEEPALIVE, 0, (1, "alice")) == [e.KeptAlive(3)]
    assert bench.hears(Service.KEEPALIVE, 0, (1, "alice")) == []  # nobody asked


def test_a_closed_machine_wants_its_connection_closed() -> None:
    bench = Bench().online()
    assert not bench.client.closing()
    bench.client.sign_off()
    assert bench.client.closing()
    assert [packet.service for packet in bench.said()] == [Service.LOGOFF]


def test_new_cookies_are_no_new_list() -> None:
    bench = Bench().online()
    assert bench.hears(Service.LIST, 0, (89, "alice"), (59, "Y\tnew")) == []
    (event,) = bench.hears(Service.LIST, 0, (87, ""), (88, ""))
    assert event == e.ListChanged(())
