import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.roster import Answer, ChangeKind, ContactRequest, RosterChange, RosterEntry, Tie
from opencpm.domain.subscriber import Preferences
from opencpm.messaging import book
from opencpm.messaging.directory import DirectoryError, StoredDirectory
from opencpm.storage.sqlite import SqliteStore, open_store
from opencpm.storage.vault import Vault

ME, BOB, CAROL = (Address("msn", f"{name}@msn.test") for name in ("alice", "bob", "carol"))
PHONE = Address("tel", "+12025550101")
MSN = frozenset({"msn"})


@pytest.fixture
async def store() -> SqliteStore:
    return await open_store(":memory:")


@pytest.fixture
def people(store: SqliteStore) -> StoredDirectory:
    directory = StoredDirectory(store, Vault("k" * 40), "cpm.test")
    directory.add_user("alice", "Alice", "pw", (Address("sip", "alice@cpm.test"),))
    directory.link_account("alice", "msn", ME, "secret")
    directory.set_preferences("alice", Preferences(share_contacts=True))
    return directory


def wanted(people: StoredDirectory) -> list[RosterChange]:
    return list(people.roster_changes("msn", "alice", MSN, ME))


def listed(people: StoredDirectory, *addresses: Address) -> None:
    people.book.merge("alice", "msn", [RosterEntry(address=a, name=a.value[:3]) for a in addresses], ME)


def again(store: SqliteStore) -> StoredDirectory:
    return StoredDirectory(store, Vault("k" * 40), "cpm.test")


def test_a_list_is_durable_and_one_version(store: SqliteStore, people: StoredDirectory) -> None:
    before = store.version()
    listed(people, BOB, CAROL)
    assert store.version() == before + 1
    assert [c.addresses for c in again(store).contacts("alice")] == [(BOB,), (CAROL,)]
    assert not people.refresh()


def test_thousands_of_one_name_have_ids_of_their_own(people: StoredDirectory) -> None:
    entries = [RosterEntry(address=Address("msn", f"p{n}@msn.test"), name="Bob") for n in range(5000)]
    people.book.merge("alice", "msn", entries, ME)
    people.book.merge("alice", "msn", entries, ME)
    ids = [contact.id for contact in people.contacts("alice")]
    assert ids[:3] == ["bob", "bob-2", "bob-3"]
    assert len(set(ids)) == 5000


def test_a_new_contact_goes_onto_the_list(people: StoredDirectory) -> None:
    listed(people, CAROL)
    people.add_contact("alice", "Bob", (PHONE, BOB))
    assert wanted(people) == [RosterChange(ChangeKind.ADD, BOB, "Bob")]
    people.book.settled("alice", "msn", wanted(people)[0], None, ME)
    assert wanted(people) == []
    listed(people, BOB, CAROL)
    assert wanted(people) == []


def test_what_failed_for_now_stays_wanted(people: StoredDirectory) -> None:
    people.add_contact("alice", "Bob", (BOB,))
    people.book.settled("alice", "msn", wanted(people)[0], SendError(Reason.NETWORK_DOWN, retryable=True), ME)
    assert len(wanted(people)) == 1
    people.book.settled("alice", "msn", wanted(people)[0], SendError(Reason.UNKNOWN_ADDRESS), ME)
    assert wanted(people) == []


def test_a_removed_contact_is_gone_here_at_once_and_stays_so(store: SqliteStore, people: StoredDirectory) -> None:
    listed(people, BOB)
    people.remove_contact("alice", "bob")
    assert people.contacts("alice") == []
    assert people.contact("alice", BOB).id == str(BOB), "a stranger now"
    for directory in (people, again(store)):
        assert wanted(directory) == [RosterChange(ChangeKind.REMOVE, BOB, "bob")]
    listed(people, BOB)
    assert people.contacts("alice") == []
    people.book.settled("alice", "msn", wanted(people)[0], None, ME)
    assert list(store.contacts()) == []
    listed(people, BOB)
    assert len(people.contacts("alice")) == 1, "put on the list again over there: back"


def test_taken_in_again_it_is_one_contact(people: StoredDirectory) -> None:
    listed(people, BOB)
    people.remove_contact("alice", "bob")
    people.add_contact("alice", "Bob", (BOB, PHONE))
    assert wanted(people) == []
    (bob,) = people.contacts("alice")
    assert [m.tie for m in bob.marks] == [Tie.LISTED]


def test_an_address_written_out_is_taken_off_the_list(people: StoredDirectory) -> None:
    listed(people, BOB)
    people.add_contact("alice", "Bob", (BOB, PHONE))
    (bob,) = people.contacts("alice")
    assert (bob.id, bob.name, bob.written) == ("bob", "Bob", True), "the user wrote what came with the list"
    people.write_contact(Contact(id="bob", owner="alice", name="Bob", addresses=(PHONE,)))
    assert wanted(people) == [RosterChange(ChangeKind.REMOVE, BOB, "Bob")]
    assert [c.addresses for c in people.contacts("alice")] == [(PHONE,)]
    listed(people, BOB)
    assert [c.addresses for c in people.contacts("alice")] == [(PHONE,)]


def test_writing_checks_addresses_and_existence(people: StoredDirectory) -> None:
    people.add_contact("alice", "Bob", (BOB,))
    carol = people.add_contact("alice", "Carol", (CAROL,))
    with pytest.raises(DirectoryError, match="Bob"):
        people.write_contact(Contact(id=carol.id, owner="alice", name="Carol", addresses=(BOB,)))
    with pytest.raises(DirectoryError, match="nobody"):
        people.write_contact(Contact(id="nobody", owner="alice", name="N", addresses=(PHONE,)))


def test_blocking(people: StoredDirectory) -> None:
    listed(people, BOB)
    people.set_blocked("alice", "bob", True)
    assert people.blocks("alice", BOB)
    assert [c.kind for c in wanted(people)] == [ChangeKind.BLOCK]


def test_unlinking_forgets_the_list_and_keeps_the_people(store: SqliteStore, people: StoredDirectory) -> None:
    listed(people, BOB, CAROL)
    people.remove_contact("alice", "car")
    people.book.asked(ContactRequest(owner="alice", network="msn", address=PHONE, at=1.0, account=ME))
    people.unlink_account("alice", "msn")
    assert [(c.id, c.marks) for c in store.contacts()] == [("bob", ())]
    assert list(store.contact_requests()) == []


def test_only_the_owners_revision_rises_with_a_book(people: StoredDirectory) -> None:
    people.add_user("desk", "Desk", "pw", (Address("sip", "desk@cpm.test"),))
    heard: list[bool] = []
    people.watch(lambda: heard.append(True))
    mine, theirs = people.revision("alice"), people.revision("desk")
    listed(people, BOB)
    assert (people.revision("alice") != mine, people.revision("desk") != theirs) == (True, False)
    people.set_preferences("desk", Preferences(max_segments=2))
    assert people.revision("desk") != theirs
    assert len(heard) == 2


# ------------------------------------------------------------------------------------------------ contact requests

ASKED = ContactRequest(owner="alice", network="msn", address=CAROL, at=5.0, name="Carol", text="It's me", account=ME)


def test_a_request_stands_until_it_is_answered(store: SqliteStore, people: StoredDirectory) -> None:
    assert people.book.asked(ASKED)
    assert not people.book.asked(ASKED), "asking again is one request"
    assert again(store).contact_requests("alice") == [ASKED]
    assert wanted(people) == []
    people.answer_request("alice", ASKED.id, True)
    assert people.contact_requests("alice") == []
    for directory in (people, again(store)):
        assert wanted(directory) == [RosterChange(ChangeKind.ACCEPT, CAROL, "Carol")]
    with pytest.raises(DirectoryError):
        people.answer_request("alice", ASKED.id, False)
    people.book.settled("alice", "msn", wanted(people)[0], None, ME)
    assert wanted(people) == []
    assert list(store.contact_requests()) == []


def test_people_of_the_book_are_let_in_and_blocked_ones_turned_away(people: StoredDirectory) -> None:
    people.add_contact("alice", "Carol", (CAROL,))
    assert not people.book.asked(ASKED)
    assert ChangeKind.ACCEPT in [c.kind for c in wanted(people)]
    people.add_contact("alice", "Bob", (BOB,))
    people.set_blocked("alice", "bob", True)
    assert not people.book.asked(ContactRequest(owner="alice", network="msn", address=BOB, at=6.0, account=ME))
    assert RosterChange(ChangeKind.DECLINE, BOB) in wanted(people)


def test_requests_are_bounded(people: StoredDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "REQUESTS", 3)
    for number in range(5):
        address = Address("msn", f"p{number}@msn.test")
        people.book.asked(ContactRequest(owner="alice", network="msn", address=address, at=1.0, account=ME))
    assert len(people.contact_requests("alice")) == 3


def test_somebody_only_from_a_list_has_to_ask(people: StoredDirectory) -> None:
    listed(people, CAROL)
    assert people.book.asked(ASKED)


def test_an_answer_says_nothing_of_its_request(people: StoredDirectory) -> None:
    with pytest.raises(DirectoryError, match="no open contact request"):
        people.answer_request("alice", "x", True)
    assert ASKED.answer is Answer.OPEN
