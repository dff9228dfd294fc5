from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.subscriber import Preferences
from opencpm.interfaces import Store
from opencpm.messaging.credentials import ha1
from opencpm.messaging.directory import DirectoryError, StoredDirectory
from opencpm.storage.sqlite import open_store
from opencpm.storage.vault import Vault

ALICE = Address("sip", "alice@cpm.test")
ALICE_TEL = Address("tel", "+12025550100")
BOB_TEL = Address("tel", "+12025550101")
BOB_MSN = Address("msn", "bob@msn.test")
ALICE_MSN = Address("msn", "alice@msn.test")
REALM = "cpm.test"


def directory_of(store: Store, key: bytes = b"k" * 32) -> StoredDirectory:
    return StoredDirectory(store, Vault(key), REALM)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    opened = await open_store(":memory:")
    yield opened
    await opened.close()


@pytest.fixture
def directory(store: Store) -> StoredDirectory:
    made = directory_of(store)
    made.add_user("alice", "Alice", "alicepw", (ALICE, ALICE_TEL))
    return made


def raw(store: Store) -> bytes:
    return b"".join(value for kind in ("ha1", "account", "token") for value in store.secrets(kind).values())


# ------------------------------------------------------------------------------------------------------ people


def test_a_new_user_is_found_at_once_and_after_a_restart(store: Store, directory: StoredDirectory) -> None:
    for one in (directory, directory_of(store)):
        found = one.owner_of(ALICE_TEL)
        assert found is not None
        assert (found.id, found.name) == ("alice", "Alice")
        assert one.subscriber("alice") == found
        assert one.ha1("alice", REALM, "SHA-256") == ha1("alice", REALM, "alicepw", "SHA-256")


@pytest.mark.parametrize(
    ("user_id", "addresses", "why"),
    [
        ("alice", (Address("sip", "other@cpm.test"),), "already"),
        ("other", (ALICE,), "belongs to alice"),
        ("other", (Address("sip", "alice@elsewhere.test"),), "signs in as 'alice'"),
        ("+12025550100", (Address("sip", "x@cpm.test"),), "cannot be"),
        ("a|b", (Address("sip", "x@cpm.test"),), "cannot be"),
        ("", (Address("sip", "x@cpm.test"),), "cannot be"),
        ("other", (), "at least one address"),
    ],
)
def test_users_that_cannot_be(
    directory: StoredDirectory, user_id: str, addresses: tuple[Address, ...], why: str
) -> None:
    with pytest.raises(DirectoryError, match=why):
        directory.add_user(user_id, "X", "pw", addresses)
    assert [user.id for user in directory.subscribers()] == ["alice"]


def test_preferences_are_kept(store: Store, directory: StoredDirectory) -> None:
    wanted = Preferences(networks=("msn", "sms"), denied=frozenset({"yahoo"}), max_segments=2)
    directory.set_preferences("alice", wanted)
    for one in (directory, directory_of(store)):
        found = one.subscriber("alice")
        assert found is not None
        assert found.preferences == wanted
    assert directory.set_barred("alice", True).preferences == wanted


def test_a_removed_user_leaves_nothing(store: Store, directory: StoredDirectory) -> None:
    directory.add_contact("alice", "Bob", (BOB_TEL,))
    directory.link_account("alice", "msn", ALICE_MSN, "secret")
    token = directory.new_token("alice", "laptop")
    directory.remove_user("alice")
    for one in (directory, directory_of(store)):
        assert one.subscriber("alice") is None
        assert one.owner_of(ALICE_MSN) is None
        assert one.contacts("alice") == []
        assert one.user_of_token(token) is None
        assert one.ha1("alice", REALM, "MD5") is None
        assert not one.check_password("alice", "alicepw")
    assert raw(store) == b""
    directory.add_user("alice", "Another", "new", (ALICE,))
    assert directory.user_of_token(token) is None


@pytest.mark.parametrize("change", ["remove_user", "set_password", "preferences", "token", "contact", "account"])
def test_changes_to_nobody_are_refused(directory: StoredDirectory, change: str) -> None:
    with pytest.raises(DirectoryError, match="no user 'zed'"):
        {
            "remove_user": lambda: directory.remove_user("zed"),
            "set_password": lambda: directory.set_password("zed", "x"),
            "preferences": lambda: directory.set_preferences("zed", Preferences()),
            "token": lambda: directory.new_token("zed", "x"),
            "contact": lambda: directory.add_contact("zed", "Bob", (BOB_TEL,)),
            "account": lambda: directory.link_account("zed", "msn", ALICE_MSN, "x"),
        }[change]()


# ----------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.parametrize("username", ["alice", "alice@cpm.test", "+12025550100"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_of_every_name_a_device_may_use(directory: StoredDirectory, username: str, algorithm: str) -> None:
    assert directory.ha1(username, REALM, algorithm) == ha1(username, REALM, "alicepw", algorithm)


def test_no_digest_for_others(directory: StoredDirectory) -> None:
    assert directory.ha1("zed", REALM, "MD5") is None
    assert directory.ha1("alice@elsewhere.test", REALM, "MD5") is None
    assert directory.ha1("alice", "elsewhere.test", "MD5") is None
    assert directory.ha1("alice", REALM, "SHA-512-256") is None


def test_a_password_is_checked_and_changed(directory: StoredDirectory) -> None:
    assert directory.check_password("alice", "alicepw")
    assert directory.proves("alice", "alicepw")
    assert not directory.proves("zed", "alicepw")
    assert not directory.check_password("alice", "wrong")
    assert not directory.check_password("zed", "alicepw")
    directory.set_password("alice", "another")
    assert directory.check_password("alice", "another")
    assert not directory.check_password("alice", "alicepw")
    assert directory.ha1("alice", REALM, "MD5") == ha1("alice", REALM, "another", "MD5")
    with pytest.raises(DirectoryError):
        directory.set_password("alice", "")


def test_another_key_opens_nothing_and_says_so(
    store: Store, directory: StoredDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    stolen = directory_of(store, b"x" * 32)
    assert stolen.ha1("alice", REALM, "MD5") is None
    assert not stolen.check_password("alice", "alicepw")
    assert "alice" in caplog.text
    assert "alicepw" not in caplog.text


# ------------------------------------------------------------------------------------------------------ tokens


def test_a_token_opens_until_it_is_removed(store: Store, directory: StoredDirectory) -> None:
    token, other = directory.new_token("alice", "laptop"), directory.new_token("alice", "phone")
    assert directory.user_of_token(token) == directory_of(store).user_of_token(other) == "alice"
    assert directory.user_of_token(token[:-1]) is None
    assert directory.user_of_token("") is None
    first = next(token_id for token_id, label in directory.tokens("alice") if label == "laptop")
    directory.remove_token("alice", first)
    assert directory.user_of_token(token) is None
    assert directory.user_of_token(other) == "alice"
    with pytest.raises(DirectoryError):
        directory.remove_token("alice", first)


def test_nothing_secret_lies_open(store: Store, directory: StoredDirectory) -> None:
    directory.link_account("alice", "msn", ALICE_MSN, "msnpassword")
    token = directory.new_token("alice", "laptop")
    kept = raw(store)
    for secret in ("alicepw", ha1("alice", REALM, "alicepw", "MD5"), "msnpassword", token, token.split("_", 2)[2]):
        assert secret.encode() not in kept


# ---------------------------------------------------------------------------------------------------- contacts


def test_a_contact_is_one_person_with_several_addresses(store: Store, directory: StoredDirectory) -> None:
    made = directory.add_contact("alice", "Bob", (BOB_TEL, BOB_MSN), networks=("sms",))
    assert (made.id, made.networks) == ("bob", ("sms",))
    for one in (directory, directory_of(store)):
        assert one.contact("alice", BOB_TEL) == one.contact("alice", BOB_MSN) == made
        assert one.contacts("alice") == [made]
    directory.remove_contact("alice", "bob")
    assert directory.contact("alice", BOB_TEL).id == "tel:+12025550101"
    with pytest.raises(DirectoryError):
        directory.remove_contact("alice", "bob")


def test_adding_the_same_person_again_keeps_their_id(directory: StoredDirectory) -> None:
    directory.add_contact("alice", "Bob", (BOB_TEL,))
    directory.set_blocked("alice", "bob", True)
    again = directory.add_contact("alice", "Bob", (BOB_TEL, BOB_MSN))
    assert (again.id, again.blocked) == ("bob", True)
    assert directory.contacts("alice") == [again]


def test_namesakes_are_two_people(directory: StoredDirectory) -> None:
    directory.add_contact("alice", "Bob", (BOB_TEL,))
    assert directory.add_contact("alice", "Bob", (BOB_MSN,)).id == "bob-2"
    assert directory.add_contact("alice", "丽", (Address("tel", "+861"),)).id == "contact"


def test_an_address_belongs_to_one_contact(directory: StoredDirectory) -> None:
    directory.add_contact("alice", "Bob", (BOB_TEL,))
    with pytest.raises(DirectoryError, match="Bob"):
        directory.add_contact("alice", "Desk", (BOB_TEL,))


def test_blocking(directory: StoredDirectory) -> None:
    directory.add_contact("alice", "Bob", (BOB_TEL, BOB_MSN))
    assert not directory.blocks("alice", BOB_MSN)
    directory.set_blocked("alice", "bob", True)
    assert directory.blocks("alice", BOB_MSN)
    assert not directory.blocks("alice", Address("tel", "+12025550199"))


# ---------------------------------------------------------------------------------------------------- accounts


def test_a_linked_account(store: Store, directory: StoredDirectory) -> None:
    account = directory.link_account("alice", "msn", ALICE_MSN, "msnpassword")
    for one in (directory, directory_of(store)):
        assert list(one.linked("msn")) == [account]
        assert one.password(account) == "msnpassword"
        owner = one.owner_of(ALICE_MSN)
        assert owner is not None
        assert owner.account("msn") == account
    other = Address("msn", "alice2@msn.test")
    second = directory.link_account("alice", "msn", other, "second")
    for one in (directory, directory_of(store)):
        assert list(one.linked("msn")) == [account, second]
        assert [one.password(a) for a in (account, second)] == ["msnpassword", "second"]
        found = one.subscriber("alice")
        assert found is not None
        assert found.account("msn") == account, "the one linked first"
    directory.unlink_account("alice", "msn", ALICE_MSN)
    assert list(directory.linked("msn")) == [second]
    assert directory.owner_of(ALICE_MSN) is None
    directory.unlink_account("alice", "msn")
    assert list(directory.linked("msn")) == []
    with pytest.raises(DirectoryError):
        directory.password(account)


def test_an_account_is_one_users(directory: StoredDirectory) -> None:
    directory.link_account("alice", "msn", ALICE_MSN, "x")
    directory.add_user("desk", "Desk", "pw", (Address("sip", "desk@cpm.test"),))
    with pytest.raises(DirectoryError, match="alice"):
        directory.link_account("desk", "msn", ALICE_MSN, "x")


# --------------------------------------------------------------------------------------------------- following


async def test_it_follows_another_process(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    mine, theirs = await open_store(path), await open_store(path)
    try:
        here, there = directory_of(mine), directory_of(theirs)
        heard: list[str] = []
        here.watch(lambda: heard.append("changed"))
        assert here.refresh() is False
        there.add_user("alice", "Alice", "one", (ALICE,))
        assert here.subscriber("alice") is None
        assert here.refresh() is True
        assert heard == ["changed"]
        assert here.check_password("alice", "one")
        there.set_password("alice", "two")
        here.refresh()
        assert here.check_password("alice", "two")
    finally:
        await mine.close()
        await theirs.close()


async def test_a_change_here_takes_in_what_changed_there(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    mine, theirs = await open_store(path), await open_store(path)
    try:
        here, there = directory_of(mine), directory_of(theirs)
        there.add_user("alice", "Alice", "one", (ALICE,))
        with pytest.raises(DirectoryError, match="already"):
            here.add_user("alice", "Alice", "one", (ALICE,))
        here.set_preferences("alice", Preferences(max_segments=3))
        there.add_contact("alice", "Bob", (BOB_TEL,))
        found = there.subscriber("alice")
        assert found is not None
        assert found.preferences.max_segments == 3
    finally:
        await mine.close()
        await theirs.close()


def test_own_changes_are_told_once_and_leave_nothing_to_refresh(directory: StoredDirectory) -> None:
    heard: list[str] = []
    directory.watch(lambda: heard.append("changed"))
    steps = (
        lambda: directory.add_user("desk", "Desk", "pw", (Address("sip", "desk@cpm.test"),)),
        lambda: directory.set_password("desk", "x"),
        lambda: directory.set_preferences("desk", Preferences()),
        lambda: directory.add_contact("desk", "Bob", (BOB_TEL,)),
        lambda: directory.link_account("desk", "msn", BOB_MSN, "x"),
        lambda: directory.new_token("desk", "x"),
        lambda: directory.unlink_account("desk", "msn"),
        lambda: directory.remove_contact("desk", "bob"),
        lambda: directory.remove_user("desk"),
    )
    for number, step in enumerate(steps, 1):
        step()
        assert len(heard) == number
        assert directory.refresh() is False
