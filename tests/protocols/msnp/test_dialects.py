"""Each dialect signs on in its own way; its lists, groups and presence are read as it writes them."""

import pytest

from opencpm.protocols.msnp import commands, dialects, events, membership, notices, payload, personal
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.dialects import Login
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame
from opencpm.protocols.msnp.membership import Member
from opencpm.protocols.msnp.notification import NotificationClient, SignOn, State

ME = "alice@x.y"
MACHINE = "{F52973B6-C926-4BAD-9BA8-7C1E840E4AB0}"
SYN = {
    dialects.Listing.BY_LIST: b"SYN 6 4\r\nGTC 6 4 A\r\nBLP 6 4 AL\r\nLSG 6 4 1 1 0 Friends 0\r\n"
    b"LST 6 FL 4 1 1 bob@x.y Bob 0\r\nLST 6 AL 4 1 1 bob@x.y Bob\r\nLST 6 BL 4 0 0\r\nLST 6 RL 4 0 0\r\n",
    dialects.Listing.BY_CONTACT: b"SYN 5 4 1 1\r\nGTC A\r\nBLP AL\r\nLSG 0 Friends 0\r\nLST bob@x.y Bob 3 0\r\n",
    dialects.Listing.KEYED: b"SYN 5 s s 1 1\r\nGTC A\r\nBLP AL\r\nPRP MFN Alice%20A\r\nLSG Friends g-1\r\n"
    b"LST N=bob@x.y F=Bob C=c-1 3 1 g-1\r\n",
}


def sign_on(number: int, message: str | None = "at work") -> NotificationClient:
    """Signed on with Bob on FL and AL, whatever the dialect."""
    name = f"MSNP{number}"
    client = NotificationClient(SignOn(ME, (name,), machine=MACHINE, message=message))
    client.start(0.0)
    client.receive(f"VER 1 {name}\r\nCVR 2 1 1 1 u u\r\n".encode(), 0.0)
    if client.state is State.METHOD:
        client.receive(b"INF 3 MD5\r\n", 0.0)
    login = dialects.login(number)
    step = 4 if login is Login.MD5 else 3
    (wanted,) = client.receive(f"USR {step} {login.value} S p nonce\r\n".encode(), 0.0)
    assert wanted == events.TicketWanted("p", login, "nonce", number >= 13)
    client.ticket("t=1", 0.0, "response")
    told = client.receive(f"USR {step + 1} OK {ME} Alice%20A 1 0\r\nMSG Hotmail Hotmail 0\r\n".encode(), 0.0)
    if number >= 13:
        assert told == [events.ListsWanted()]
        client.lists([Contact("bob@x.y", "Bob", Lists.FL | Lists.AL, "c-1")], 0.0, privacy="AL", name="Alice A")
        client.receive(b"BLP 5 AL\r\nADL 6 OK\r\n", 0.0)
    else:
        client.receive(SYN[dialects.listing(number)], 0.0)
    assert client.state is State.STATUS, number
    said = client.take().decode()
    trid = said.rpartition("CHG ")[2].split(" ")[0]
    (signed_in,) = client.receive(f"CHG {trid} NLN 0\r\n".encode(), 0.0)
    assert isinstance(signed_in, events.SignedIn)
    assert [(c.address, c.name, c.lists) for c in signed_in.contacts] == [("bob@x.y", "Bob", Lists.FL | Lists.AL)]
    return client


@pytest.mark.parametrize("number", range(dialects.OLDEST, dialects.NEWEST + 1))
def test_sign_on(number: int) -> None:
    client = sign_on(number)
    assert client.name == "Alice A"
    assert client.state is State.ONLINE


@pytest.mark.parametrize(
    ("number", "chg", "uux"),
    [
        (2, b"CHG 7 NLN\r\n", False),
        (8, b"CHG 6 NLN 1073741856\r\n", False),
        (12, b"CHG 7 NLN 1073741856\r\n", True),
        (15, b"CHG 9 NLN 1073741856\r\n", True),
        (18, b"CHG 9 NLN 1073741856:0\r\n", True),
    ],
)
def test_what_is_published(number: int, chg: bytes, uux: bool) -> None:
    name = f"MSNP{number}"
    client = NotificationClient(SignOn(ME, (name,), machine=MACHINE, message="at <work>"))
    client.start(0.0)
    client.receive(f"VER 1 {name}\r\nCVR 2\r\n".encode(), 0.0)
    client.receive(b"INF 3 MD5\r\nUSR 4 MD5 S c\r\n" if number < 8 else b"", 0.0)
    client.receive(f"USR 3 {dialects.login(number).value} S p n\r\n".encode(), 0.0)
    client.ticket("t=1", 0.0, "r")
    client.receive(f"USR {5 if number < 8 else 4} OK {ME} Alice 1 0\r\n".encode(), 0.0)
    client.take()
    if number >= 13:
        client.lists([], 0.0, privacy="BL", name="Alice")
        client.receive(b"ADL 6 OK\r\n", 0.0)
    else:
        client.receive(SYN[dialects.listing(number)], 0.0)
    said = client.take()
    assert said.endswith(chg)
    assert (b"<PSM>at &lt;work&gt;</PSM>" in said) is uux
    assert (MACHINE.encode() in said) is (number >= 16)
    if number >= 13:
        assert said.startswith(b'BLP 5 BL\r\nADL 6 15\r\n<ml l="1"></ml>PRP 7 MFN Alice\r\n')


def test_places_need_a_machine() -> None:
    client = NotificationClient(SignOn(ME, ("MSNP18",)))
    client.start(0.0)
    (failed,) = client.receive(b"VER 1 MSNP18\r\n", 0.0)
    assert failed.step == "VER"


def test_lists_are_given_only_when_asked_for() -> None:
    with pytest.raises(MsnpError):
        sign_on(18).lists([], 1.0)
    with pytest.raises(MsnpError):
        sign_on(12).ticket("t", 1.0)


@pytest.mark.parametrize("number", [7, 8, 9])
def test_changes_by_address(number: int) -> None:
    client = sign_on(number)
    assert client.groups == {"0": "Friends"}
    client.take()
    write = client.change
    trids = [
        write.add(Lists.FL, "c@x.y", "Carol C", 1.0),
        write.into_group("bob@x.y", "0", 1.0),
        write.out_of_group("bob@x.y", "0", 1.0),
        write.remove(Lists.AL, "bob@x.y", 1.0),
        write.add_group("New one", 1.0),
        write.rename_group("0", "Old", 1.0),
        write.remove_group("0", 1.0),
        write.rename("bob@x.y", "Bobby", 1.0),
        write.strangers(False, 1.0),
    ]
    said = client.take().decode().split("\r\n")[:-1]
    a, b, c, d, e, f, g, h, i = trids
    assert said == [
        f"ADD {a} FL c@x.y Carol%20C",
        f"ADD {b} FL bob@x.y Bob 0",
        f"REM {c} FL bob@x.y 0",
        f"REM {d} AL bob@x.y",
        f"ADG {e} New%20one 0",
        f"REG {f} 0 Old 0",
        f"RMG {g} 0",
        f"REA {h} bob@x.y Bobby",
        f"BLP {i} BL",
    ]
    told = client.receive(
        f"ADD {a} FL 5 c@x.y Carol%20C\r\nADD {b} FL 6 bob@x.y Bob 0\r\nREM {c} FL 7 bob@x.y 0\r\n"
        f"REM {d} AL 8 bob@x.y\r\nADG {e} 9 New%20one 1 0\r\nREG {f} 10 0 Old 0\r\nRMG {g} 11 0\r\n"
        f"REA {h} 12 bob@x.y Bobby\r\nBLP {i} 13 BL\r\n".encode(),
        1.0,
    )
    assert [type(event).__name__ for event in told] == [
        "ListChanged",
        "GroupingChanged",
        "GroupingChanged",
        "ListChanged",
        "GroupChanged",
        "GroupChanged",
        "GroupChanged",
        "ListChanged",
    ]
    assert client.contacts["bob@x.y"] == Contact("bob@x.y", "Bobby", Lists.FL)
    assert client.groups == {"1": "New one"}
    assert client._wire.pending == {}


@pytest.mark.parametrize("number", [10, 11, 12])
def test_changes_by_guid(number: int) -> None:
    client = sign_on(number)
    client.take()
    write = client.change
    a = write.into_group("bob@x.y", "g-2", 1.0)
    b = write.out_of_group("bob@x.y", "g-1", 1.0)
    c = write.add_group("New", 1.0)
    d = write.rename("bob@x.y", "Bobby", 1.0)
    assert client.take().decode().split("\r\n")[:-1] == [
        f"ADC {a} FL C=c-1 g-2",
        f"REM {b} FL c-1 g-1",
        f"ADG {c} New",
        f"SBP {d} c-1 MFN Bobby",
    ]
    client.receive(
        f"ADC {a} FL C=c-1 g-2\r\nREM {b} FL c-1 g-1\r\nADG {c} New g-3\r\nSBP {d} c-1 MFN Bobby\r\n".encode(), 1.0
    )
    assert client.contacts["bob@x.y"] == Contact("bob@x.y", "Bobby", Lists.FL | Lists.AL, "c-1", ("g-2",))
    assert client.groups == {"g-1": "Friends", "g-3": "New"}


@pytest.mark.parametrize("number", [13, 15, 18])
def test_changes_by_members(number: int) -> None:
    client = sign_on(number)
    client.take()
    a = client.add(Lists.FL | Lists.AL, "c@x.y", "C", 1.0)
    b = client.remove(Lists.AL, "bob@x.y", 1.0)
    c = client.add(Lists.BL, "bob@x.y", "", 1.0)
    d = client.change.look_up("dave@y.z", 1.0)
    assert (
        client.take()
        == (
            f'ADL {a} 46\r\n<ml><d n="x.y"><c n="c" l="3" t="1"/></d></ml>'
            f'RML {b} 48\r\n<ml><d n="x.y"><c n="bob" l="2" t="1"/></d></ml>'
            f'ADL {c} 48\r\n<ml><d n="x.y"><c n="bob" l="4" t="1"/></d></ml>'
            f'FQY {d} 37\r\n<ml><d n="y.z"><c n="dave"/></d></ml>'
        ).encode()
    )
    told = client.receive(
        f"ADL {a} OK\r\nRML {b} OK\r\nADL {c} OK\r\nFQY {d} 45\r\n".encode()
        + b'<ml><d n="y.z"><c n="dave" t="32" /></d></ml>',
        1.0,
    )
    assert told[-1] == events.Looked(d, "dave@y.z", 32)
    assert {who: c.lists for who, c in client.contacts.items()} == {
        "c@x.y": Lists.FL | Lists.AL,
        "bob@x.y": Lists.FL | Lists.BL,
    }
    for refused in (lambda: client.change.add_group("x", 1.0), lambda: client.change.rename("bob@x.y", "x", 1.0)):
        with pytest.raises(MsnpError):
            refused()


def test_refused_change_is_forgotten() -> None:
    client = sign_on(18)
    trid = client.add(Lists.FL, "c@x.y", "", 1.0)
    (refused,) = client.receive(f"241 {trid} 4\r\noops".encode(), 1.0)  # with a payload, as 13 and later may
    assert (refused.verb, refused.trouble.code, refused.subject) == ("ADL", 241, "c@x.y")
    assert client.receive(f"ADL {trid} OK\r\n".encode(), 1.0) == []
    assert "c@x.y" not in client.contacts


@pytest.mark.parametrize(("number", "line"), [(8, "ADD 0 RL 5 c@x.y Carol"), (12, "ADC 0 RL N=c@x.y F=Carol")])
def test_somebody_adds_us(number: int, line: str) -> None:
    client = sign_on(number)
    (changed,) = client.receive(f"{line}\r\n".encode(), 1.0)
    assert (changed.trid, changed.contact) == (0, Contact("c@x.y", "Carol", Lists.RL))


def test_somebody_adds_us_and_leaves_with_members() -> None:
    client = sign_on(18)
    data = b'<ml><d n="x.y"><c n="c" l="8" t="1" f="Carol"/></d></ml>'
    (changed,) = client.receive(b"ADL 0 %d\r\n%s" % (len(data), data), 1.0)
    assert (changed.trid, changed.contact) == (0, Contact("c@x.y", "Carol", Lists.RL))
    (changed,) = client.receive(b"RML 0 %d\r\n%s" % (len(data), data), 1.0)
    assert not changed.added
    assert "c@x.y" not in client.contacts


@pytest.mark.parametrize(
    ("number", "line", "expected"),
    [
        (2, "NLN BSY b@x.y Bob", ("b@x.y", "BSY", "Bob", 0, 1)),
        (8, "NLN BSY b@x.y Bob 32", ("b@x.y", "BSY", "Bob", 32, 1)),
        (12, "ILN 6 IDL b@x.y B%20B 32 %3Cmsnobj%2F%3E", ("b@x.y", "IDL", "B B", 32, 1)),
        (15, "ILN 6 NLN b@x.y 1 Bob 32 0", ("b@x.y", "NLN", "Bob", 32, 1)),
        (16, "NLN NLN b@x.y 32 Bob 32:48 0", ("b@x.y", "NLN", "Bob", 32, 32)),
        (18, "NLN NLN 1:b@x.y Bob 2788999228:48 0", ("b@x.y", "NLN", "Bob", 2788999228, 1)),
        (2, "FLN b@x.y", ("b@x.y", "FLN", "", 0, 1)),
        (15, "FLN b@x.y 1 0", ("b@x.y", "FLN", "", 0, 1)),
        (18, "FLN 1:b@x.y 0:0", ("b@x.y", "FLN", "", 0, 1)),
        (15, "FLN b@x.y", ("b@x.y", "FLN", "", 0, 1)),
    ],
)
def test_presence(number: int, line: str, expected: tuple[object, ...]) -> None:
    verb, *args = line.split(" ")
    assert commands.presence(Frame(verb, tuple(args)), number) == expected


def test_personal_messages() -> None:
    client = sign_on(18)
    client.take()
    client.personal_message("busy & more", 1.0)
    assert client.take().endswith(b"<Data><PSM>busy &amp; more</PSM><CurrentMedia></CurrentMedia></Data>")
    data = personal.build("hello psm")
    assert client.receive(b"UBX 1:bob@x.y %d\r\n%s" % (len(data), data), 1.0) == [
        events.NoteChanged("bob@x.y", "hello psm")
    ]
    assert client.receive(b"UBX 1:bob@x.y 0\r\n", 1.0) == [events.NoteChanged("bob@x.y", "")]
    assert client.receive(b"UBX 1:alice@x.y 0\r\nUBX 1:bob@x.y 5\r\n<bad>", 1.0) == []
    old = sign_on(8)
    old.take()
    old.personal_message("nothing", 1.0)
    assert old.take() == b""


def test_offline_text() -> None:
    client = sign_on(18)
    client.take()
    trid = client.offline_text("bob@example.com", "offline by UUM", 1.0)
    assert (
        client.take()
        == (
            f"UUM {trid} bob@example.com 1 1 96\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
            "Dest-Agent: client\r\n\r\noffline by UUM"
        ).encode()
    )
    assert client.receive(f"201 {trid}\r\n".encode(), 1.0) == []
    with pytest.raises(MsnpError):
        client.offline_text("bob@x.y", "x" * 1600, 1.0)
    with pytest.raises(MsnpError):
        sign_on(15).offline_text("bob@x.y", "x", 1.0)


def test_what_the_service_says_itself() -> None:
    client = sign_on(12)

    def hear(kind: str, body: bytes) -> list[object]:
        data = payload.build({"MIME-Version": "1.0", "Content-Type": kind}, body)
        return client.receive(b"MSG Hotmail Hotmail %d\r\n%s" % (len(data), data), 1.0)

    mail = (
        b"<MD><E/><M><T>11</T><RT>2026-11-23T07:18:34Z</RT><E>a@x.y</E><I>ID-1</I><N>=?utf-8?B?QWxpY2U=?=</N></M></MD>"
    )
    assert hear(notices.AT_LOGIN, b"Mail-Data: " + mail + b"\r\n") == [
        events.OfflineWaiting((notices.Waiting("ID-1", "a@x.y", 1795418314.0, "Alice"),), True)
    ]
    assert hear(notices.LATER, b"Mail-Data: too-large\r\n") == [events.OfflineWaiting((), False)]
    assert hear(notices.AT_LOGIN, b"Mail-Data: <MD><E/></MD>\r\n") == []
    assert hear(notices.AT_LOGIN, b"Mail-Data: <MD><broken\r\n") == []
    assert hear(payload.SYSTEM[0], b"Type: 1\r\nArg1: 5\r\n") == [events.GoingDown(5)]
    assert hear("text/x-msmsgsprofile", b"LoginTime: 1\r\n") == []


def test_federated_text() -> None:
    client = sign_on(18)
    data = payload.text("hi from afar")
    assert client.receive(b"UBM 32:c@yahoo.test 1:alice@x.y 1 %d\r\n%s" % (len(data), data), 1.0) == [
        events.DirectText("c@yahoo.test", 32, "hi from afar")
    ]


def test_long_lists_go_out_in_several_commands() -> None:
    members = [Member(f"contact{number}@x{number % 7}.y", Lists.FL | Lists.AL) for number in range(400)]
    payloads = membership.build(members, initial=True)
    assert len(payloads) in (3, 4)
    assert all(len(membership.parse(each)) <= membership.MAX_CONTACTS for each in payloads)
    assert all(len(each) <= membership.MAX_OCTETS for each in payloads)
    assert sorted(m.address for each in payloads for m in membership.parse(each)) == sorted(m.address for m in members)
    wide = membership.build([Member(f"{'w' * 60}{number}@{'d' * 100}.y", Lists.FL) for number in range(100)])
    assert len(wide) > 1
    assert all(len(each) <= membership.MAX_OCTETS for each in wide)


def test_blocked_is_not_allowed_too() -> None:
    (data,) = membership.build([Member("b@x.y", Lists.FL | Lists.AL | Lists.BL | Lists.RL)])
    assert data == b'<ml><d n="x.y"><c n="b" l="5" t="1"/></d></ml>'


@pytest.mark.parametrize("data", [b"", b"<ml>", b"<ml><d n='x'><c/></d></ml>", b"<ml><d><c n='a'/></d><x/></ml>"])
def test_payloads_of_strangers(data: bytes) -> None:
    try:
        assert membership.parse(data) == []
    except MsnpError:
        assert data in (b"", b"<ml>")
