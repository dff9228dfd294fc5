"""The recordings of a live revived server: our client says what was recorded and takes what the server sent."""

import pytest

from opencpm.protocols.msnp import events, tweener
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.errors import Kind
from tests.protocols.msnp.script import Player, read

RECORDINGS = [
    ("MSNP18", "msnp18-login-presence-switchboard.txt"),
    ("MSNP15", "msnp15-login-presence-switchboard.txt"),
    ("MSNP12", "msnp12-login-presence-switchboard.txt"),
    ("MSNP8", "msnp8-login-presence-switchboard.txt"),
    ("MSNP2", "msnp2-md5-login.txt"),
]
PASSPORT = [each for each in RECORDINGS if each[0] in ("MSNP12", "MSNP8")]


@pytest.fixture(params=[(*each, 0) for each in RECORDINGS] + [(*each, 1) for each in RECORDINGS], ids=str)
def player(request: pytest.FixtureRequest) -> Player:
    dialect, file, piece = request.param
    player = Player(dialect, piece)
    player.play(read(file))
    return player


def test_every_client_line_was_said_and_no_other(player: Player) -> None:
    # `Player.say` has compared each line; what is left over nobody recorded.
    left = {name: client.octets for name, client in player.clients.items() if client.octets}
    assert left == {}


def test_what_our_client_refuses_to_send(player: Player) -> None:
    # To an empty room, and more octets than the switchboard bears.
    assert [line.split(" ")[0:2] for line in player.refused] == [["MSG", "4"], ["MSG", "3"]]


def test_sign_in_and_presence(player: Player) -> None:
    bob = player.clients["bob-NS"]
    assert [event.dialect for event in bob.of(events.SignedIn)] == [player.dialect]
    states = [(e.presence.address, e.presence.state) for e in bob.of(events.PresenceChanged)]
    assert ("alice@example.com", "NLN") in states
    assert states[-1] == ("alice@example.com", "FLN")


def test_lists(player: Player) -> None:
    alice = player.clients["alice-NS"]
    (signed_in,) = alice.of(events.SignedIn)
    if player.dialect in ("MSNP15", "MSNP18"):
        assert signed_in.contacts == ()  # that client did not read its address book
        (changed,) = player.clients["bob-NS"].of(events.ListChanged)
        assert changed.contact.lists == Lists.FL | Lists.AL
        return
    (contact,) = signed_in.contacts
    assert (contact.address, contact.name) == ("bob@example.com", "Bob")
    assert Lists.FL in contact.lists
    assert Lists.AL in contact.lists


def test_invitation_and_talk(player: Player) -> None:
    alice, bob = player.clients["alice-SB"], player.clients["bob-SB"]
    assert [(e.subject, e.trouble.kind) for e in alice.of(events.Refused)] == [
        ("nobody@example.com", Kind.OFFLINE),
        ("carol@example.com", Kind.OFFLINE),
    ]
    assert [type(event).__name__ for event in alice.told] == (
        ["Admitted", "Refused", "Refused", "Ringing", "Joined", "Accepted", "Text", "Nudged", "Closed"]
    )
    assert [event.text for event in alice.of(events.Text)] == ["Hi Alice, ack N"]
    assert bob.told[0] == events.Admitted(("alice@example.com",))
    assert bob.told[1] == events.Typing("alice@example.com")
    assert bob.told[2] == events.Text("alice@example.com", "Alice", "Hello Bob ☃")
    assert events.Left("alice@example.com", False, 0) in bob.told
    assert len(bob.of(events.Accepted)) == 1  # the nudge; the ACK of the empty room does not count


def test_invitation_reaches_the_other_notification_connection(player: Player) -> None:
    rings = player.clients["bob-NS"].of(events.Rang)
    assert [event.ring.inviter for event in rings] == ["alice@example.com"] * 2
    assert rings[0].ring.entry.endpoint == ("127.0.0.1", 1864)


def test_errors(player: Player) -> None:
    (mallory,) = player.clients["mallory-SB"].told
    assert isinstance(mallory, events.Failed)
    assert mallory.trouble.kind is Kind.AUTHENTICATION
    carol = player.clients["carol-NS"].told[-1]
    assert isinstance(carol, events.Failed)
    assert carol.trouble.code == 911


@pytest.mark.parametrize(("dialect", "file"), RECORDINGS)
def test_kicked_by_a_second_login(dialect: str, file: str) -> None:
    player = Player(dialect)
    steps = read(file)
    player.play(steps[: next(at for at, step in enumerate(steps) if step.line == "OUT OTH") + 1])
    assert player.old["alice-NS"].told[-1] == events.SignedOff("OTH", 0)
    refused = player.old["alice-NS"].of(events.Refused)
    # Who is hidden gets no switchboard up to 12; from 13 on this server gives one.
    hidden = [] if dialect in ("MSNP15", "MSNP18") else [("XFR", 913)]
    assert [(event.verb, event.trouble.code) for event in refused] == hidden


@pytest.mark.parametrize(("dialect", "file"), PASSPORT)
def test_passport_headers(dialect: str, file: str) -> None:
    http = [step for step in read(file) if step.name == "HTTP"]
    asked = next(step for step in http if step.line == "GET /login")
    headers = dict(line.split(": ", 1) for line in asked.data.decode().split("\n"))
    parameters = "ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1"
    assert headers["Authorization"] == tweener.authorization("alice@example.com", "123456", parameters)
    nexus = http[1].data.decode().split("\n")[0].split(": ", 1)[1]
    assert tweener.parse_passport_urls(nexus) == "https://127.0.0.1:8081/login"
    answer = http[3].data.decode().split("\n")[0].split(": ", 1)[1]
    assert len(tweener.parse_authentication_info(answer)) == 20


@pytest.mark.parametrize("piece", [0, 7])
def test_address_book_offline_message_and_three_in_a_switchboard(piece: int) -> None:
    player = Player("MSNP18", piece)
    player.play(read("msnp18-addressbook-group-uum.txt"))
    left = {name: client.octets for name, client in player.clients.items() if client.octets}
    assert left == {name: [b"PNG\r\n"] for name in ("alice-NS", "bob-NS", "carol-NS")}  # that client never asked
    assert player.refused == []
    alice, bob = player.clients["alice-NS"], player.clients["bob-NS"]
    (signed_in,) = alice.of(events.SignedIn)
    assert {c.address: c.lists for c in signed_in.contacts} == {
        "bob@example.com": Lists.FL | Lists.AL,
        "carol@example.com": Lists.FL | Lists.AL,
    }
    assert [(event.address, event.network) for event in alice.of(events.Looked)] == [("bob@example.com", 1)]
    (kept,) = bob.of(events.OfflineWaiting)
    assert kept.complete
    assert len(kept.waiting) == 6
    assert (kept.waiting[0].sender, kept.waiting[0].name) == ("alice@example.com", "Alice")
    assert events.NoteChanged("alice@example.com", "at%20work") in bob.of(events.NoteChanged)
    room = player.clients["alice-SB"]
    assert [event.address for event in room.of(events.Joined)] == ["bob@example.com", "carol@example.com"]
    assert room.of(events.Left) == [events.Left("carol@example.com", False, 1)]
    carol = player.clients["carol-SB"]
    assert carol.told[0] == events.Admitted(("alice@example.com", "bob@example.com"))
    assert [event.text for event in carol.of(events.Text)] == ["hello both"]


def test_offline_messages_of_the_older_kind() -> None:
    player = Player("MSNP12")
    player.play(read("msnp12-oim.txt"))
    assert {name: client.octets for name, client in player.clients.items() if client.octets} == {}
    kept = player.clients["bob-NS"].of(events.OfflineWaiting)
    assert [waiting.id for waiting in kept[-1].waiting] == [
        "78266EDC-D5E6-4E7F-95B2-314B82478FED",
        "F4A90008-BD77-4662-A380-942E6EBB3458",
    ]
