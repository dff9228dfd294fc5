"""The small pure pieces: link state, terms, addresses, LinkedIDs, lanes, settings."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.numbering import NumberPlan
from opencpm.interworking.mms.mm7 import addresses
from opencpm.interworking.mms.mm7.linked import Linked
from opencpm.interworking.mms.mm7.settings import Mm7Settings
from opencpm.interworking.mms.mm7.terms import MOST_TRIES, Terms, changed
from opencpm.interworking.mms.mm7.underway import Underway
from opencpm.interworking.mms.settings import read
from opencpm.media import CLASSES, ContentClass
from opencpm.protocols.breaker import Breaker
from opencpm.protocols.mm7 import REL_5, REL_6, RELEASES
from opencpm.protocols.mm7.schema import other
from opencpm.protocols.mm7.status import Retry
from opencpm.protocols.mm7.values import MAIL, NUMBER, SHORT_CODE
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.protocols.mm7.verdict import verdict_of
from opencpm.transport.lanes import Lanes

from .support import ALICE, BOB, CAROL, Directory, State, delivery

PLAN = NumberPlan(country_code="44")


# -- breaker


def breaker() -> Breaker:
    return Breaker("http://mmsc", 1.0, 8.0, 60.0, 0.0)


def test_pauses_double_up_to_the_longest_and_an_answer_ends_them() -> None:
    one, now = breaker(), 0.0
    for pause in (1.0, 2.0, 4.0, 8.0, 8.0):
        one.failed("no", now)
        assert not one.up
        assert not one.due(now + pause - 0.1)
        now += pause
        assert one.due(now)
        one.half_open(now)
        assert one.up
    one.answered(now)
    one.failed("no", now)
    assert one.due(now + 1.0)


def test_refused_credentials_wait_longer_and_never_over_a_quarter_of_an_hour() -> None:
    one, now = breaker(), 0.0
    for pause in (60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        one.failed("no", now, refused=True)
        assert not one.due(now + pause - 0.1)
        assert one.due(now + pause)


def test_since_is_when_it_began() -> None:
    one = breaker()
    one.failed("no", 5.0)
    one.failed("still no", 9.0)
    assert one.since == 5.0
    one.answered(11.0)
    one.answered(12.0)
    assert one.since == 11.0


# -- terms

TARGET = CLASSES[ContentClass.MEGAPIXEL]
FULL = Terms(release=REL_6, linked="l1", target=TARGET, media=True)


def test_each_change_is_made_once() -> None:
    unlinked = changed(FULL, Retry.UNLINKED)
    assert unlinked is not None
    assert unlinked.linked == ""
    assert changed(unlinked, Retry.UNLINKED) is None
    released = changed(unlinked, Retry.OTHER_RELEASE)
    assert released is not None
    assert released.release == REL_5
    assert changed(released, Retry.OTHER_RELEASE) is None
    reduced = changed(released, Retry.ADAPT)
    assert reduced is not None
    assert reduced.target.max_bytes < TARGET.max_bytes
    assert reduced.number == MOST_TRIES - 1
    assert changed(reduced, Retry.ADAPT) is None


@pytest.mark.parametrize("retry", [Retry.NO, Retry.LATER, Retry.FEW, Retry.ALARM, Retry.SPLIT])
def test_other_answers_change_nothing(retry: Retry) -> None:
    assert changed(FULL, retry) is None


def test_the_first_transaction_has_the_deliverys_id_and_each_change_another() -> None:
    following = changed(FULL, Retry.UNLINKED)
    assert following is not None
    assert [one.transaction("d.0") for one in (FULL, following)] == ["d.0", "d.0-1"]


def test_the_other_release_of_any_is_one_of_two() -> None:
    assert {other(release) for release in RELEASES.values()} == {REL_5, REL_6}
    assert all(other(release).namespace[-13:-8] != release.namespace[-13:-8] for release in RELEASES.values())


# -- addresses


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        (Mm7Address(NUMBER, "+447700900556"), "tel:+447700900556"),
        (Mm7Address(NUMBER, "447700900556"), "tel:+447700900556"),
        (Mm7Address(NUMBER, "07700900556"), "tel:+447700900556"),
        (Mm7Address(NUMBER, "+447700900556/TYPE=PLMN"), "tel:+447700900556"),
        (Mm7Address(SHORT_CODE, "100"), "tel:100"),
        (Mm7Address(SHORT_CODE, "7005551212"), "tel:7005551212"),
        (Mm7Address(SHORT_CODE, "INFO"), "alpha:INFO"),
        (Mm7Address(MAIL, "Bob@Example.COM"), "mailto:bob@example.com"),
        (Mm7Address(MAIL, "+447700900556/TYPE=PLMN"), "tel:+447700900556"),
        (Mm7Address(NUMBER, "qx7s8", coding="encrypted"), "alpha:hidden"),
        (Mm7Address(NUMBER, ""), "alpha:unknown"),
    ],
)
def test_whom_an_address_means(address: Mm7Address, meant: str) -> None:
    assert str(addresses.read(PLAN, address)) == meant


def test_how_ours_are_written() -> None:
    assert addresses.written(ALICE) == Mm7Address(NUMBER, ALICE.value)
    assert addresses.written(Address("tel", "100")) == Mm7Address(SHORT_CODE, "100")
    assert addresses.sender("alice@cpm.test") == Mm7Address(MAIL, "alice@cpm.test")


# -- LinkedIDs


def test_a_linked_id_lives_as_long_as_it_may_and_over_a_restart() -> None:
    state, people = State(), Directory(ALICE, CAROL)
    one = Linked(state, "r", people, 100.0, 0.0)
    one.heard(BOB, ALICE, "l1", 0.0)
    assert one.of_answer(ALICE, BOB, 99.0) == "l1"
    assert one.of_answer(CAROL, BOB, 99.0) == ""
    assert Linked(state, "r", people, 100.0, 50.0).of_answer(ALICE, BOB, 60.0) == "l1"
    assert Linked(state, "r", people, 100.0, 101.0).of_answer(ALICE, BOB, 101.0) == ""
    assert state.rooms["r"] == {}


def test_where_none_are_kept_none_are() -> None:
    state = State()
    Linked(state, "r", Directory(ALICE), 0.0, 0.0).heard(BOB, ALICE, "l1", 0.0)
    assert state.rooms == {}


async def test_what_is_under_way_is_forgotten_in_the_end() -> None:
    state = State()
    one = Underway(state, "u", 0.0)
    await one.begin("d1", 0.0)
    await one.begin("d2", 8 * 86400.0)
    again = Underway(state, "u", 8 * 86400.0 + 10.0)
    assert not again.begun("d1")
    assert again.begun("d2")
    again.withdrawn("d2")
    assert state.rooms["u"] == {}


# -- lanes


async def test_never_more_at_a_time_than_there_are_lanes() -> None:
    going, most, seen = 0, 0, []
    go = asyncio.Event()

    async def work(one: Delivery) -> None:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await go.wait()
        going -= 1
        seen.append(one.id)

    lanes = Lanes(3, 100, work)
    for number in range(60):
        lanes.add(delivery(ident=f"d{number}", target=Address("tel", f"+1202555{number:04}")))
    task = asyncio.create_task(lanes.run())
    while going < 3:
        await asyncio.sleep(0)
    go.set()
    while len(seen) < 60:
        await asyncio.sleep(0)
    assert most == 3
    assert len(lanes) == 0
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_what_has_not_begun_can_be_taken_out() -> None:
    async def never(one: Delivery) -> None:
        raise AssertionError

    lanes = Lanes(2, 2, never)
    lanes.add(delivery(ident="a"))
    lanes.add(delivery(ident="b", target=ALICE))
    assert lanes.full
    assert {one.id for one in lanes.drain()} == {"a", "b"}
    assert len(lanes) == 0


# -- answers of HTTP


def test_an_answer_without_anything_in_it_is_none() -> None:
    for body in (b"", b"<html>OK</html>", b"OK"):
        assert verdict_of(200, "text/html", body) is None


def test_a_fault_without_a_status_is_judged_by_its_code() -> None:
    def fault(code: str) -> bytes:
        envelope = "http://schemas.xmlsoap.org/soap/envelope/"
        return (
            f'<e:Envelope xmlns:e="{envelope}"><e:Body><e:Fault><faultcode>e:{code}</faultcode>'
            "<faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>"
        ).encode()

    found = [verdict_of(500, "text/xml", fault(code)) for code in ("Server", "Client")]
    assert [one.meaning.retry for one in found if one is not None] == [Retry.LATER, Retry.NO]


# -- settings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "mmsc.example"}, "url"),
        ({"release": "REL-7"}, "REL-6-MM7-1-4"),
        ({"listen": {"host": "0.0.0.0"}}, "password"),
        ({"listen": {"peers": ["mmsc"]}}, "192.0.2.1"),
        ({"listen": {"tls_certificate": "a.pem"}}, "tls_key"),
        ({"connections": 0}, "connections"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_wrong_settings_say_what_to_mend(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(Mm7Settings, wrong)


def test_secrets_are_not_shown() -> None:
    shown = repr(read(Mm7Settings, {"password": "geheim", "listen": {"password": "geheim"}}))
    assert "geheim" not in shown


def test_where_the_centre_may_come_from() -> None:
    where = read(Mm7Settings, {"listen": {"host": "0.0.0.0", "peers": ["192.0.2.0/24", "2001:db8::1"]}}).listen
    assert where.proves("", "", "192.0.2.7")
    assert where.proves("", "", "2001:db8::1")
    assert not where.proves("", "", "198.51.100.1")
    assert not where.proves("", "", "")
