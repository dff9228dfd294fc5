"""The small pieces of the relay: addresses, reasons, terms."""

from __future__ import annotations

import pytest

from opencpm.access.mm7 import reasons
from opencpm.access.mm7.people import People, home, may_send
from opencpm.domain.address import Address, tel
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.mm7.status import Meaning, http_meaning, meaning
from opencpm.protocols.mm7.values import MAIL, NUMBER, SHORT_CODE
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.settings import Mm7AccessSettings, Mm7Terms

ALICE = Subscriber(id="alice", name="Alice", addresses=(Address("sip", "alice@cpm.test"), tel("+12025550100")))
BOB = Subscriber(id="bob", name="Bob", addresses=(Address("sip", "bob@cpm.test"),))


class Directory:
    def owner_of(self, address):
        return next((one for one in (ALICE, BOB) if address in one.addresses), None)


PEOPLE = People(Mm7AccessSettings(country_code="44"), Directory())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        (Mm7Address(NUMBER, "+12025550100"), "tel:+12025550100"),
        (Mm7Address(NUMBER, "07700900556"), "tel:+447700900556"),
        (Mm7Address(SHORT_CODE, "7755"), "tel:7755"),
        (Mm7Address(MAIL, "alice@cpm.test"), "sip:alice@cpm.test"),
        (Mm7Address(MAIL, "eve@mail.test"), "mailto:eve@mail.test"),
        (Mm7Address(NUMBER, "x", coding="obfuscated"), "None"),
        (Mm7Address(NUMBER, " "), "None"),
        (Mm7Address(SHORT_CODE, "INFO"), "alpha:INFO"),
    ],
)
def test_who_is_meant(address: Mm7Address, meant: str) -> None:
    assert str(PEOPLE.read(address)) == meant


def test_people_are_written_by_their_number_where_they_have_one() -> None:
    assert PEOPLE.written(ALICE.addresses[0]) == Mm7Address(NUMBER, "+12025550100")
    assert PEOPLE.written(BOB.addresses[0]) == Mm7Address(MAIL, "bob@cpm.test")
    assert PEOPLE.written(tel("7755")) == Mm7Address(SHORT_CODE, "7755")
    assert PEOPLE.written(Address("msn", "eve@msn.test")) == Mm7Address(MAIL, "eve@msn.test")


def test_what_is_written_is_read_as_the_same_person() -> None:
    for person in (ALICE, BOB):
        again = PEOPLE.read(PEOPLE.written(person.addresses[0]))
        assert again in person.addresses


def test_senders_are_ones_own_and_named_in_the_terms() -> None:
    number = tel("+12025550100")
    assert home(ALICE) == number
    assert home(BOB) == BOB.addresses[0]
    assert may_send(ALICE, Mm7Terms(), number)
    assert not may_send(BOB, Mm7Terms(), number)
    assert may_send(ALICE, Mm7Terms(senders=("+12025550100",)), number)
    assert not may_send(ALICE, Mm7Terms(senders=("sip:alice@cpm.test",)), number)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_has_a_code_that_says_whether_to_come_again(reason: Reason) -> None:
    final = reasons.refusal(SendError(reason, detail="why"))
    assert final.details == "why"
    passing = reasons.refusal(SendError(reason, retryable=True))
    assert meaning(final.code).reason != "accepted"
    assert meaning(passing.code).reason != "accepted"


def _notice(status: Status, cause: str = "") -> Notice:
    return Notice(message_id="m", original_sent_at=0.0, recipient=tel("+1"), status=status, cause=cause)


@pytest.mark.parametrize(
    ("status", "cause", "word"),
    [
        (Status.DELIVERED, "", "Retrieved"),
        (Status.FAILED, "expired", "Expired"),
        (Status.FAILED, "rejected", "Rejected"),
        (Status.FAILED, "unsupported-media", "Unrecognised"),
        (Status.FAILED, "timeout", "Indeterminate"),
        (Status.FAILED, "unknown-address", "Rejected"),
        (Status.UNKNOWN, "", "Indeterminate"),
    ],
)
def test_the_end_of_a_message_in_the_words_of_mm7(status: Status, cause: str, word: str) -> None:
    told = reasons.told(_notice(status, cause))
    assert told is not None
    assert told.mm_status == word


def test_for_what_a_network_took_mm7_has_no_word() -> None:
    assert reasons.told(_notice(Status.ACCEPTED)) is None


@pytest.mark.parametrize(
    ("said", "reason", "again"),
    [
        (meaning(3000), Reason.UNREACHABLE, True),
        (meaning(2004), Reason.UNSUPPORTED_MEDIA, False),
        (meaning(2003), Reason.UNKNOWN_ADDRESS, False),
        (http_meaning(401), Reason.AUTHENTICATION, True),
        (http_meaning(404), Reason.NETWORK_DOWN, True),
        (http_meaning(503), Reason.UNREACHABLE, True),
        (meaning(4999), Reason.REJECTED, False),
    ],
)
def test_what_a_service_answers(said: Meaning, reason: Reason, again: bool) -> None:
    error = reasons.refused(said, "code")
    assert (error.reason, error.retryable) == (reason, again)


def test_terms_of_an_account_lie_over_those_of_all() -> None:
    settings = Mm7AccessSettings(
        terms=Mm7Terms(rate=5.0, recipients=7), accounts={"news": Mm7Terms(rate=9.0)}, only_listed=True
    )
    news = settings.terms_of("news")
    assert news is not None
    assert (news.rate, news.recipients) == (9.0, 7)
    assert settings.terms_of("alice") is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"terms": {"url": "http://x/"}}, "belongs to one account"),
        ({"tls_key": "k.pem"}, "tls_certificate"),
        ({"accounts": {"a": {"release": "REL-4"}}}, "REL-6-MM7-1-4"),
        ({"accounts": {"a": {"url": "x"}}}, "url"),
    ],
)
def test_wrong_settings_say_what_to_mend(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Mm7AccessSettings.model_validate(values)
