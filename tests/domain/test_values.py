"""The small values: contact, subscriber, errors, delivery."""

from opencpm.domain.address import Address, tel
from opencpm.domain.contact import Contact, stranger
from opencpm.domain.delivery import FINAL, DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.subscriber import LinkedAccount, Subscriber

MSN = Address("msn", "bob@msn.test")


def test_a_contact_is_one_person_with_several_addresses() -> None:
    bob = Contact(id="c1", owner="alice", name="Bob", addresses=(tel("+12025550101"), MSN))
    assert bob.on(frozenset({"msn"})) == MSN
    assert bob.on(frozenset({"sip"})) is None
    unknown = stranger("alice", MSN)
    assert unknown.id == str(MSN)
    assert unknown.addresses == (MSN,)


def test_a_disabled_account_does_not_count() -> None:
    on = LinkedAccount(owner="alice", network="msn", address=MSN)
    off = LinkedAccount(owner="alice", network="yahoo", address=MSN, enabled=False)
    alice = Subscriber(id="alice", name="Alice", addresses=(Address("sip", "alice@cpm.test"),), accounts=(on, off))
    assert alice.account("msn") == on
    assert alice.account("yahoo") is None
    assert alice.on("tel") is None


def test_an_error_says_whether_to_retry_and_what_the_user_may_read() -> None:
    error = SendError(Reason.CONGESTION, retryable=True, retry_after=2.0, code="SMPP 0x00000058")
    assert error.detail == "congestion"
    assert "SMPP" not in str(error)
    assert "congestion" in repr(error)


def test_work_is_not_final() -> None:
    assert not FINAL & {DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.ACCEPTED}
