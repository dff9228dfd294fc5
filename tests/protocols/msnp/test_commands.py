import pytest

from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.commands import Contact, Endpoint, Lists, Presence
from opencpm.protocols.msnp.errors import Kind, MsnpError, trouble
from opencpm.protocols.msnp.framing import Frame


def frame(line: str) -> Frame:
    verb, *args = line.split(" ")
    return Frame(verb, tuple(args))


@pytest.mark.parametrize(
    ("line", "dialect", "expected"),
    [
        ("ILN 6 NLN bob@example.com Bob 1073741824", 8, Presence("bob@example.com", "NLN", "Bob", 1073741824)),
        ("NLN BSY bob@example.com Bob%20B 32 %3Cmsnobj%2F%3E", 12, Presence("bob@example.com", "BSY", "Bob B", 32)),
        (
            "ILN 6 NLN alice@example.com 1 Alice 1073741824 0",
            15,
            Presence("alice@example.com", "NLN", "Alice", 1 << 30),
        ),
        ("NLN BSY 1:bob@example.com Bob 2788999228:48 0", 18, Presence("bob@example.com", "BSY", "Bob", 2788999228)),
        ("FLN Alice@Example.com", 12, Presence("alice@example.com", "FLN")),
        ("FLN 1:alice@example.com 0:0", 18, Presence("alice@example.com", "FLN")),
    ],
)
def test_presence(line: str, dialect: int, expected: Presence) -> None:
    assert commands.presence(frame(line), dialect) == expected


@pytest.mark.parametrize(
    ("line", "dialect", "expected"),
    [
        (
            "LST bob@example.com Bob 11 0",
            8,
            Contact("bob@example.com", "Bob", Lists.FL | Lists.AL | Lists.RL, groups=("0",)),
        ),
        (
            "LST N=bob@example.com F=Bob C=5ff44017-eff1-4a80-ae1e-77a556f8bab5 19 1 5774f429",
            12,
            Contact(
                "bob@example.com",
                "Bob",
                Lists.FL | Lists.AL | Lists.PL,
                "5ff44017-eff1-4a80-ae1e-77a556f8bab5",
                ("5774f429",),
            ),
        ),
        ("LST N=stranger@example.com 8 1", 12, Contact("stranger@example.com", "", Lists.RL)),
    ],
)
def test_contact(line: str, dialect: int, expected: Contact) -> None:
    assert commands.contact(frame(line), dialect) == expected


def test_endpoint() -> None:
    assert commands.endpoint("127.0.0.1:1864") == Endpoint("127.0.0.1", 1864)
    assert commands.endpoint("msn.test") == Endpoint("msn.test", 1863)
    assert commands.endpoint("[::1]:5") == Endpoint("::1", 5)
    assert commands.endpoint("[::1]") == Endpoint("::1", 1863)


@pytest.mark.parametrize("text", ["", ":1", "host:0", "host:70000", "host:x"])
def test_bad_endpoint(text: str) -> None:
    with pytest.raises(MsnpError):
        commands.endpoint(text)


def test_address() -> None:
    assert commands.address("1:Bob@Example.com;{F529}") == "bob@example.com"
    for text in ("", "bob", "b b@x", "bob@x\r\n", "@x", "a@" + "x" * 300):
        with pytest.raises(MsnpError):
            commands.address(text)


def test_transfer_and_ring() -> None:
    kind, entry = commands.transfer(frame("XFR 12 SB 127.0.0.1:1864 CKI 95db U messenger.msn.com 1"))
    assert (kind, entry.ticket, entry.endpoint.port) == ("SB", "95db", 1864)
    ring = commands.ring(frame("RNG 661b 127.0.0.1:1864 CKI a5fb alice@example.com Alice%20A"))
    assert (ring.session, ring.entry.ticket, ring.inviter, ring.name) == (
        "661b",
        "a5fb",
        "alice@example.com",
        "Alice A",
    )


@pytest.mark.parametrize("line", ["XFR 1 SB h:1", "XFR 1 SB h:1 CKI", "XFR 1 XX h:1 CKI t"])
def test_bad_transfer(line: str) -> None:
    with pytest.raises(MsnpError):
        commands.transfer(frame(line))


def test_error_numbers() -> None:
    assert [trouble(code).kind for code in (205, 217, 713, 911, 502, 501, 215)] == [
        Kind.NOT_FOUND,
        Kind.OFFLINE,
        Kind.BUSY,
        Kind.AUTHENTICATION,
        Kind.PERMANENT,
        Kind.TEMPORARY,
        Kind.SUCCESS,
    ]
    assert trouble(713).retry_after == 60
    assert not trouble(911).retryable
    assert trouble(999).retryable
