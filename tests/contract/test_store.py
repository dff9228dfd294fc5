"""What every store promises (opencpm.interfaces.Store)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import DeliveryState, Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, MessageKind, Part, text_part
from opencpm.domain.profile import Availability
from opencpm.domain.report import Reference, Report, Status
from opencpm.domain.roster import Answer, ContactRequest, Mark, Tie
from opencpm.domain.session import SessionState
from opencpm.domain.subscriber import (
    GroupInvitations,
    LinkedAccount,
    Preferences,
    SessionFeedback,
    Simplify,
    Subscriber,
    WhenUnavailable,
)
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, Committed, ReferenceRow, Store
from opencpm.storage.sqlite import open_store
from tests.contract.drive import claim, commit, put_state, release_leases, seize, stored
from tests.contract.values import ALICE, BOB, LONG_AFTER, NOW, delivery, ids, message, session, unit, update

Open = Callable[[], Awaitable[Store]]


@pytest.fixture(params=["file", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(str(tmp_path / "store.db") if request.param == "file" else ":memory:")
    yield opened
    await opened.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


# ---------------------------------------------------------------------------------------- messages, deliveries


FULL = message(
    recipients=(BOB, Address("sip", "desk@cpm.test")),
    parts=(
        Part("text/plain;charset=UTF-8", "smörgås 🎬".encode()),
        Part("image/png", bytes(range(256)), "poster.png", "attachment"),
        Part("text/plain", b""),
    ),
    conversation_id="c1",
    contribution_id="x1",
    in_reply_to="x0",
    wants=Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY,
    expires_at=LONG_AFTER,
    subject="Cinema",
    kind=MessageKind.CHAT,
    session_id="s1",
    route="sms",
    headers=(("Ab.Urgency", "high"), ("Ab.Urgency", "yes"), ("X", "")),
)


@pytest.mark.parametrize(
    "one",
    [
        message(),
        FULL,
        message(parts=()),
        message(parts=(Part("[odd", b"x"),)),
        message(parts=(Part("image/png", b"\x00", "a.png"),)),
        message(recipients=()),
        message(recipients=(Address("sip", "a\nb,c:d@cpm.test"),)),
    ],
)
async def test_a_message_comes_back_as_it_was(store: Store, one: object) -> None:
    await stored(store, Changes(messages=[one]))  # type: ignore[list-item]
    assert store.message(one.id) == one  # type: ignore[attr-defined]


async def test_a_message_that_is_not_there(store: Store) -> None:
    assert store.message("nobody") is None
    assert store.delivery("nobody") is None
    assert store.deliveries_of("nobody") == []


async def test_a_delivery_comes_back_as_it_was(store: Store) -> None:
    record = delivery(
        FULL,
        state=DeliveryState.SENDING,
        network="sms",
        source=ALICE,
        target=BOB,
        attempt=2,
        token=3,
        not_before=NOW + 1,
        lease_until=NOW + 60,
        queue="alice",
        notice=Notice(
            message_id="original",
            original_sent_at=NOW - 9,
            recipient=BOB,
            status=Status.FAILED,
            network="sms",
            reason="no",
        ),
        sent_thread="alice|bob",
        received_thread="bob|alice",
        segments=3,
        confirmed=5,
        error="timeout",
        detail="no answer",
        updated_at=NOW + 2,
    )
    await stored(store, Changes(messages=[FULL], deliveries=[record]))
    assert store.delivery(record.id) == record
    assert record.seq > 0


async def test_deliveries_of_a_message_leave_notices_out(store: Store) -> None:
    one = message()
    notice = Notice(message_id="m", original_sent_at=NOW, recipient=BOB, status=Status.DELIVERED)
    records = [delivery(one, "a"), delivery(one, "n", notice=notice), delivery(one, "b", recipient=ALICE)]
    await stored(store, Changes(messages=[one], deliveries=records))
    assert store.deliveries_of(one.id) == [records[0], records[2]]


async def test_a_delivery_may_come_later_than_its_message(store: Store) -> None:
    one = message()
    await stored(store, Changes(messages=[one]))
    await stored(store, Changes(deliveries=[delivery(one)]))
    assert ids(store.deliveries_of(one.id)) == ["d-m1@device.test"]


async def test_a_delivery_of_an_unknown_message_fails_its_unit_alone(store: Store) -> None:
    orphan = Changes(deliveries=[delivery(message("nowhere"))], state=[("room", "key", b"x")])
    answers = await commit(store, unit("a"), orphan, unit("b"))
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert store.get_state("room", "key") is None
    assert store.message(message("b").id) is not None


async def test_seq_follows_the_order_of_the_calls(store: Store) -> None:
    units = [unit(f"m{n}") for n in range(50)]
    await stored(store, *units[:20])
    await stored(store, *units[20:])
    seqs = [store.delivery(u.deliveries[0].id).seq for u in units]  # type: ignore[union-attr]
    assert seqs == sorted(set(seqs))


# ---------------------------------------------------------------------------------------- commit and its answers


async def test_reads_see_only_what_is_committed(store: Store) -> None:
    one = unit()
    seen: list[object] = []
    store.commit(one, lambda _: seen.append(store.message(one.messages[0].id)))
    assert store.message(one.messages[0].id) is None
    await stored(store, Changes())
    assert seen == [one.messages[0]]


async def test_answers_come_in_the_order_of_the_calls(store: Store) -> None:
    order: list[int] = []
    for n in range(700):  # more than one group
        store.commit(unit(f"m{n}"), lambda _, n=n: order.append(n))  # type: ignore[misc]
    await stored(store, Changes())
    assert order == list(range(700))


async def test_a_commit_from_an_answer_is_stored_too(store: Store) -> None:
    finished = asyncio.Event()

    def second(_: Committed) -> None:
        store.commit(unit("second"), lambda _: finished.set())

    store.commit(unit("first"), second)
    await finished.wait()
    assert store.message(message("second").id) is not None


async def test_an_answer_that_raises_does_not_keep_the_others(store: Store) -> None:
    def broken(_: Committed) -> None:
        raise RuntimeError("a bug elsewhere")

    store.commit(unit("first"), broken)
    await stored(store, unit("second"))
    assert store.message(message("first").id) is not None


async def test_nobody_need_wait_for_a_commit(store: Store) -> None:
    store.commit(unit())
    await stored(store, Changes())
    assert store.message(message().id) is not None


# ---------------------------------------------------------------------------------------------------- repetitions


async def test_a_repeated_message_is_named_and_its_rows_are_left_alone(store: Store) -> None:
    await stored(store, unit("m1"))
    again = unit("m1")
    again.deliveries[0].id = "other"
    again.references.append(ReferenceRow("sms", "other", Reference(key="K")))
    again.updates.append(update(again.deliveries[0], DeliveryState.FAILED))
    (answer,) = await commit(store, again)
    assert answer == Committed(frozenset({again.messages[0].id}))
    assert store.delivery("other") is None
    assert store.referenced("sms", "K") == []
    assert ids(store.deliveries_of(again.messages[0].id)) == ["d-m1@device.test"]
    assert len(store.trail(again.messages[0].id)) == 1


async def test_repeated_within_one_group(store: Store) -> None:
    units = [unit("m1"), unit("m2"), unit("m1")]
    units[2].deliveries[0].id = "other"
    answers = await commit(store, *units)
    assert [set(answer.repeated) for answer in answers] == [set(), set(), {message("m1").id}]
    assert store.delivery("other") is None


async def test_the_first_copy_stays(store: Store) -> None:
    await stored(store, unit("m1"))
    changed = replace(message("m1"), parts=(text_part("another text"),))
    await commit(store, Changes(messages=[changed]))
    assert store.message(changed.id) == message("m1")


async def test_new_messages_of_a_unit_with_a_repeated_one_are_stored(store: Store) -> None:
    await stored(store, unit("m1"))
    both = unit("m1")
    fresh = unit("m2")
    both.messages += fresh.messages
    both.deliveries += fresh.deliveries
    both.trail += fresh.trail
    (answer,) = await commit(store, both)
    assert answer.repeated == {message("m1").id}
    assert store.delivery(fresh.deliveries[0].id) is not None
    assert len(store.trail(fresh.messages[0].id)) == 1


async def test_a_repeated_delivery_id_is_left_alone(store: Store) -> None:
    first = unit("m1", detail="first")
    await stored(store, first)
    await stored(store, Changes(deliveries=[delivery(first.messages[0], detail="second")]))
    assert store.delivery(first.deliveries[0].id).detail == "first"  # type: ignore[union-attr]


@pytest.mark.parametrize("ident", ["{id}.0", "{id}.0!delivered", "{id}", "{id}0", "free", "{other}.0", "a.b.c", "."])
async def test_an_id_of_any_form_names_its_delivery(store: Store, ident: str) -> None:
    """Most begin with their message's id, which a store may make use of."""
    one, other = message("m1"), message("m2")
    record = delivery(one, id=ident.format(id=one.id, other=other.id), state=DeliveryState.SENDING, token=1)
    await stored(store, Changes(messages=[one, other], deliveries=[record]))
    await stored(store, Changes(deliveries=[delivery(one, id=record.id, detail="again")]))
    assert store.delivery(record.id) == record
    assert store.deliveries_of(one.id) == [record]
    await stored(store, Changes(updates=[update(record, DeliveryState.FAILED, token=0)]))
    assert store.delivery(record.id) == record
    await stored(store, Changes(updates=[update(record, DeliveryState.ACCEPTED)]))
    assert store.delivery(record.id) == replace(record, state=DeliveryState.ACCEPTED)
    assert store.deliveries_of(other.id) == []


@pytest.mark.parametrize("again", ["{id}.1", "free"])
async def test_deliveries_with_a_first_one_of_the_same_form(store: Store, again: str) -> None:
    one = message()
    records = [delivery(one, id=f"{one.id}.0"), delivery(one, id=again.format(id=one.id))]
    await stored(store, Changes(messages=[one], deliveries=records))
    await stored(store, Changes(updates=[update(r, DeliveryState.EXPIRED) for r in records]))
    assert [r.state for r in store.deliveries_of(one.id)] == [DeliveryState.EXPIRED] * 2


# -------------------------------------------------------------------------------------------------------- updates


async def test_an_update_writes_the_mutable_part_whole(store: Store) -> None:
    one = unit(token=1)
    record = one.deliveries[0]
    await stored(store, one)
    change = update(
        record,
        DeliveryState.ACCEPTED,
        network="sms",
        source=str(ALICE),
        target=str(BOB),
        attempt=2,
        token=2,
        not_before=NOW + 3,
        lease_until=NOW + 4,
        queue="q",
        segments=2,
        confirmed=1,
        error="congestion",
        detail="busy",
        updated_at=NOW + 5,
    )
    await stored(store, Changes(updates=[change]))
    expected = replace(
        record,
        state=DeliveryState.ACCEPTED,
        network="sms",
        source=ALICE,
        target=BOB,
        attempt=2,
        token=2,
        not_before=NOW + 3,
        lease_until=NOW + 4,
        queue="q",
        segments=2,
        confirmed=1,
        error="congestion",
        detail="busy",
        updated_at=NOW + 5,
    )
    assert store.delivery(record.id) == expected


async def test_an_update_with_an_older_token_is_ignored(store: Store) -> None:
    one = unit(token=5)
    await stored(store, one)
    await stored(store, Changes(updates=[update(one.deliveries[0], DeliveryState.FAILED, token=4)]))
    assert store.delivery(one.deliveries[0].id).state is DeliveryState.QUEUED  # type: ignore[union-attr]


@pytest.mark.parametrize(("tokens", "wins"), [((1, 2), 2), ((2, 1), 2), ((2, 2), 2), ((3, 1), 3)])
async def test_updates_of_one_group_keep_order_and_fencing(store: Store, tokens: tuple[int, int], wins: int) -> None:
    one = unit(token=1)
    record = one.deliveries[0]
    await stored(store, one)
    changes = [update(record, DeliveryState.FAILED, token=token, detail=f"{n}") for n, token in enumerate(tokens)]
    await stored(store, *(Changes(updates=[change]) for change in changes))
    found = store.delivery(record.id)
    assert found is not None
    assert found.token == wins
    assert found.detail == ("1" if tokens[1] >= tokens[0] else "0")


async def test_an_update_in_the_unit_of_its_delivery(store: Store) -> None:
    one = unit()
    one.updates.append(update(one.deliveries[0], DeliveryState.DELIVERED))
    await stored(store, one)
    assert store.delivery(one.deliveries[0].id).state is DeliveryState.DELIVERED  # type: ignore[union-attr]


# --------------------------------------------------------------------------------------------------- claim, leases


async def test_claim_leases_what_is_due_oldest_first(store: Store) -> None:
    await stored(
        store,
        unit("a", not_before=NOW - 1),
        unit("later", not_before=NOW + 10),
        unit("b", not_before=NOW - 5, token=7, attempt=2),
        unit("done", state=DeliveryState.DELIVERED),
        unit("accepted", state=DeliveryState.ACCEPTED, expires_at=NOW - 1),
    )
    claimed = await claim(store, NOW, NOW + 60)
    assert ids(claimed) == ["d-a@device.test", "d-b@device.test"]
    assert [(r.state, r.token, r.attempt, r.lease_until) for r in claimed] == [
        (DeliveryState.SENDING, 1, 0, NOW + 60),
        (DeliveryState.SENDING, 8, 2, NOW + 60),
    ]
    assert [store.delivery(r.id) for r in claimed] == claimed
    assert await claim(store, NOW, NOW + 60) == []


async def test_claim_takes_at_most_the_limit(store: Store) -> None:
    await stored(store, *(unit(f"m{n}") for n in range(5)))
    assert ids(await claim(store, NOW, NOW + 60, 2)) == ["d-m0@device.test", "d-m1@device.test"]
    assert len(await claim(store, NOW, NOW + 60, 10)) == 3


async def test_claim_sees_units_handed_in_before_and_not_those_after(store: Store) -> None:
    store.commit(unit("before"))
    answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    store.claim(NOW, NOW + 60, 10, lambda records: answer.set_result(ids(records)))
    store.commit(unit("after"))
    assert await answer == ["d-before@device.test"]


async def test_a_lease_that_ended_may_be_claimed_and_fences_the_old_holder(store: Store) -> None:
    await stored(store, unit("a"))
    (held,) = await claim(store, NOW, NOW + 60)
    assert await claim(store, NOW + 59, NOW + 119) == []
    (again,) = await claim(store, NOW + 60, NOW + 120)
    assert again.token == held.token + 1
    await stored(store, Changes(updates=[update(held, DeliveryState.FAILED)]))
    assert store.delivery(held.id) == again


async def test_claim_of_a_queue_takes_what_waits_whatever_its_time(store: Store) -> None:
    await stored(
        store,
        unit("a", queue="alice", not_before=LONG_AFTER),
        unit("x", queue="bob", not_before=LONG_AFTER),
        unit("b", queue="alice"),
        unit("done", queue="alice", state=DeliveryState.FAILED),
        unit("free"),
    )
    assert store.waiting("alice") == 2
    assert store.waiting("desk") == 0
    assert ids(await claim(store, NOW, NOW + 60, queue="alice")) == ["d-a@device.test", "d-b@device.test"]
    assert store.waiting("alice") == 0
    assert await claim(store, NOW, NOW + 60, queue="alice") == []
    assert ids(await claim(store, NOW + 60, NOW + 120, queue="alice")) == ["d-a@device.test", "d-b@device.test"]


async def test_next_due(store: Store) -> None:
    assert store.next_due() is None
    await stored(store, unit("a", not_before=NOW + 50), unit("done", state=DeliveryState.DELIVERED))
    assert store.next_due() == NOW + 50
    await stored(store, unit("b", state=DeliveryState.SENDING, lease_until=NOW + 20))
    assert store.next_due() == NOW + 20
    await claim(store, NOW + 50, NOW + 100)
    assert store.next_due() == NOW + 100
    await stored(store, unit("accepted", state=DeliveryState.ACCEPTED, expires_at=NOW - 1))
    assert store.next_due() == NOW + 100


async def test_release_leases(store: Store) -> None:
    await stored(store, unit("a"), unit("b", not_before=LONG_AFTER), unit("c", state=DeliveryState.ACCEPTED))
    (held,) = await claim(store, NOW, LONG_AFTER)
    assert await claim(store, NOW, LONG_AFTER) == []
    await release_leases(store)
    (again,) = await claim(store, NOW, LONG_AFTER)
    assert (again.id, again.token) == (held.id, held.token + 1)


async def test_unreported(store: Store) -> None:
    await stored(
        store,
        unit("new", state=DeliveryState.ACCEPTED, expires_at=NOW + 1),
        unit("b", state=DeliveryState.ACCEPTED, expires_at=NOW - 1),
        unit("a", state=DeliveryState.ACCEPTED, expires_at=NOW - 2),
        unit("reported", state=DeliveryState.DELIVERED, expires_at=NOW - 3),
        unit("waits", expires_at=NOW - 4),
    )
    assert ids(store.unreported(NOW, 10)) == ["d-a@device.test", "d-b@device.test"]
    assert ids(store.unreported(NOW, 1)) == ["d-a@device.test"]


async def test_what_becomes_accepted_can_become_unreported(store: Store) -> None:
    one = unit("a", state=DeliveryState.SENDING, lease_until=NOW + 60, expires_at=NOW + 5)
    await stored(store, one)
    await stored(store, Changes(updates=[update(one.deliveries[0], DeliveryState.ACCEPTED)]))
    assert store.next_due() is None
    assert ids(store.unreported(NOW + 6, 10)) == ["d-a@device.test"]


# ----------------------------------------------------------------------------------------------- references, parking


async def test_references_newest_first(store: Store) -> None:
    await stored(store, unit("a"), unit("b"))
    rows = [
        ReferenceRow("sms", "d-a@device.test", Reference(key="1F", segment=0, segments=2)),
        ReferenceRow("sms", "d-b@device.test", Reference(key="1F", segment=1, segments=2, weak=True, check="0900123")),
        ReferenceRow("msn", "d-a@device.test", Reference(key="1F")),
    ]
    await stored(store, *(Changes(references=[row]) for row in rows))
    assert store.referenced("sms", "1F") == [rows[1], rows[0]]
    assert store.referenced("sms", "2F") == []


FAILURE = SendError(Reason.UNDELIVERABLE, retryable=True, detail="gave up", retry_after=2.5, code="stat:UNDELIV")


async def test_parked_reports_come_back_in_order(store: Store) -> None:
    reports = [
        Report(status=Status.DELIVERED, network="sms", source="SMSC receipt", at=NOW, key="1", check="23", detail="d"),
        Report(
            status=Status.DISPLAYED,
            network="sip",
            source="device",
            at=NOW + 0.5,
            message_id="m1",
            reporter=BOB,
            original_sender=ALICE,
        ),
        Report(status=Status.PENDING, network="sms", source="SMSC receipt", at=NOW, delivery_id="d1"),
    ]
    await stored(store, *(Changes(parked=[report]) for report in reports))
    assert store.parked(10) == reports
    assert store.parked(2) == reports[:2]
    await stored(store, Changes(unparked=[("sms", "1"), ("sip", "m1"), ("other", "d1")]))
    assert store.parked(10) == reports[2:]


async def test_a_parked_error_comes_back(store: Store) -> None:
    failed = Report(status=Status.FAILED, network="sms", source="SMSC receipt", at=NOW, key="1", error=FAILURE)
    await stored(store, Changes(parked=[failed]))
    error = store.parked(1)[0].error
    assert error is not None
    assert repr(error) == repr(FAILURE)
    assert error.retry_after == 2.5


async def test_parking_and_unparking_keep_their_order_in_a_group(store: Store) -> None:
    report = Report(status=Status.DELIVERED, network="sms", source="SMSC receipt", at=NOW, key="1")
    await stored(store, Changes(parked=[report]), Changes(unparked=[("sms", "1")]), Changes(parked=[report]))
    assert store.parked(10) == [report]
    await stored(store, Changes(unparked=[("sms", "1")]))
    assert store.parked(10) == []


# ------------------------------------------------------------------------------------------------------ history


async def test_history_shows_both_sides_oldest_first(store: Store) -> None:
    units = [
        unit("a", sent_thread="alice|bob", created_at=NOW + 1),
        unit("b", received_thread="alice|bob", created_at=NOW + 3),
        unit("c", sent_thread="alice|bob", received_thread="bob|alice", created_at=NOW + 2),
        unit("other", sent_thread="alice|desk", created_at=NOW + 2),
        unit("nobody", created_at=NOW + 2),
    ]
    await stored(store, *units)
    a, b, c = (u.deliveries[0] for u in units[:3])
    assert store.history("alice", "bob") == [(a, True), (c, True), (b, False)]
    assert store.history("alice", "bob", limit=2) == [(c, True), (b, False)]
    assert store.history("alice", "bob", before=NOW + 3) == [(a, True), (c, True)]
    assert store.history("bob", "alice") == [(c, False)]
    assert store.history("alice", "nobody") == []


async def test_notices_are_no_history(store: Store) -> None:
    notice = Notice(message_id="m", original_sent_at=NOW, recipient=BOB, status=Status.DELIVERED)
    await stored(store, unit("n", notice=notice, received_thread="alice|bob"))
    assert store.history("alice", "bob") == []
    assert store.threads("alice") == []


async def test_a_note_to_oneself_shows_once(store: Store) -> None:
    await stored(store, unit("a", sent_thread="alice|me", received_thread="alice|me"))
    assert [sent for _, sent in store.history("alice", "me")] == [True]


async def test_threads_latest_first(store: Store) -> None:
    units = [
        unit("a", sent_thread="alice|bob", created_at=NOW),
        unit("b", received_thread="alice|tel:+447700900999", created_at=NOW + 2),
        unit("c", received_thread="alice|bob", created_at=NOW + 1),
        unit("d", sent_thread="alice|x|y", created_at=NOW + 1),
        unit("e", sent_thread="alice2|bob", created_at=NOW + 9),
        unit("f", received_thread="alic|bob", created_at=NOW + 9),
    ]
    await stored(store, *units)
    found = store.threads("alice")
    assert [(t.peer, t.last_at, t.last.id, t.sent) for t in found] == [
        ("tel:+447700900999", NOW + 2, "d-b@device.test", False),
        ("x|y", NOW + 1, "d-d@device.test", True),
        ("bob", NOW + 1, "d-c@device.test", False),
    ]
    assert [t.peer for t in store.threads("alice", 1)] == ["tel:+447700900999"]
    assert store.threads("nobody") == []


async def test_last_exchange(store: Store) -> None:
    assert store.last_exchange("alice|bob") is None
    for n, thread in enumerate(("sent_thread", "received_thread")):
        one = message(f"m{n}", conversation_id=f"c{n}", contribution_id=f"x{n}")
        record = delivery(one, created_at=NOW + n, **{thread: "alice|bob"})
        await stored(store, Changes(messages=[one], deliveries=[record]))
        assert store.last_exchange("alice|bob") == (f"c{n}", f"x{n}")


async def test_sessions(store: Store) -> None:
    first, second = session("s1"), session("s2", opened_at=NOW + 1, owner_threads=("alice|bob", "bob|alice"))
    await stored(store, Changes(sessions=[first, second]))
    assert store.sessions("alice", "bob") == [second, first]
    assert store.sessions("alice", "bob", limit=1) == [second]
    assert store.sessions("bob", "alice") == [second]
    assert store.open_sessions() == [first, second]


async def test_a_session_is_written_again(store: Store) -> None:
    opened = session("s1")
    closed = replace(
        opened,
        state=SessionState.CLOSED,
        answered_at=NOW + 1,
        closed_at=NOW + 2,
        reason="left",
        conversation_id="c",
        contribution_id="x",
    )
    await stored(store, Changes(sessions=[opened]), Changes(sessions=[closed]))
    assert store.sessions("alice", "bob") == [closed]
    assert store.open_sessions() == []


# ------------------------------------------------------------------------------------------------ trail, operator


async def test_the_trail_keeps_its_order(store: Store) -> None:
    one = unit("m1")
    subject = one.messages[0].id
    later = [
        TrailEntry(subject, NOW - 5, Step.SELECTED, "SMS, because", "d1", '{"plan": 1}'),
        TrailEntry("s1", NOW, Step.INVITED, "asks for a session"),
        TrailEntry(subject, NOW, Step.SUBMITTED, "to the SMSC", "d1"),
    ]
    await stored(store, one)
    await stored(store, *(Changes(trail=[entry]) for entry in later))
    assert store.trail(subject) == [one.trail[0], later[0], later[2]]
    assert store.trail("s1") == [later[1]]
    assert store.trail("nothing") == []


async def test_a_trail_may_begin_before_its_message(store: Store) -> None:
    one = unit("m1")
    subject = one.messages[0].id
    early = TrailEntry(subject, NOW, Step.REFUSED, "too large")
    await stored(store, Changes(trail=[early]))
    await stored(store, one)
    assert store.trail(subject) == [early, *one.trail]


async def test_find(store: Store) -> None:
    one = message("m1", id="aaaaaaaa1111")
    other = message("m2", id="aaaaaaaa2222", message_id="m1.other@device.test")
    record = delivery(one, "9f9f9f9f")
    await stored(store, Changes(messages=[one, other], deliveries=[record], sessions=[session("5e5510112233")]))
    assert store.find("aaaaaaaa1111") == one.id
    assert store.find("m1@device.test") == one.id
    assert store.find("m1.oth") == other.id
    assert store.find("aaaaaaaa1") == one.id
    assert store.find("aaaaaaaa") is None  # two begin so
    assert store.find("5e5510") == "5e5510112233"
    assert store.find("5e551") is None  # too short
    assert store.find("d-9f9f9f9f") == one.id
    assert store.find("d-9f9f9f") == one.id
    assert store.find("aaaaaaaa2222.0!delivered") == other.id
    assert store.find("nothing") is None
    assert store.find("") is None


async def test_counts(store: Store) -> None:
    await stored(store, unit("a"), unit("b"), unit("c", state=DeliveryState.FAILED))
    counts = store.counts()
    assert counts["messages"] == 3
    assert counts["trail"] == 3
    assert {state.value: counts[state.value] for state in DeliveryState if counts[state.value]} == {
        "queued": 2,
        "failed": 1,
    }


async def test_keyed_state(store: Store) -> None:
    await put_state(store, "sip", "alice", b"\x00one")
    await put_state(store, "sip", "bob", b"two")
    await put_state(store, "sms", "alice", b"other")
    assert store.get_state("sip", "alice") == b"\x00one"
    assert store.all_state("sip") == {"alice": b"\x00one", "bob": b"two"}
    await put_state(store, "sip", "alice", b"new")
    await put_state(store, "sip", "bob", None)
    assert store.all_state("sip") == {"alice": b"new"}
    assert store.get_state("sip", "bob") is None


async def test_the_last_word_on_a_key_counts(store: Store) -> None:
    await stored(
        store,
        Changes(state=[("r", "a", b"1"), ("r", "a", None), ("r", "b", None)]),
        Changes(state=[("r", "b", b"2"), ("r", "c", b"3"), ("r", "c", b"4")]),
    )
    assert store.all_state("r") == {"b": b"2", "c": b"4"}


# ------------------------------------------------------------------------------------------------- administration


async def test_subscribers_and_accounts(store: Store) -> None:
    preferences = Preferences(
        networks=("msn", "sms"),
        denied=frozenset({"yahoo"}),
        max_segments=3,
        session_feedback=SessionFeedback.ERRORS,
        when_unavailable=WhenUnavailable.REJECT,
        accept_sessions=True,
        display_reports=False,
        status=Availability.BUSY,
        strict_route=True,
        online_first=True,
        group_invitations=GroupInvitations.CONTACTS,
        note="in Rome",
        share_contacts=True,
        simplify=Simplify.LATIN,
    )
    alice = Subscriber(
        id="alice", name="Alice", addresses=(ALICE, BOB), preferences=preferences, barred=True, status_since=7.5
    )
    account = LinkedAccount(owner="alice", network="msn", address=Address("msn", "alice@msn.test"), revision=3)
    store.put_subscriber(alice)
    assert store.subscribers() == [alice]
    store.put_account(account)
    assert store.subscribers() == [replace(alice, accounts=(account,))]
    store.put_account(replace(account, enabled=False))
    store.put_subscriber(replace(alice, name="Alice B"))
    assert store.subscribers() == [replace(alice, name="Alice B", accounts=(replace(account, enabled=False),))]
    second = replace(account, address=Address("msn", "a.second@msn.test"))
    store.put_account(second)
    store.put_account(account)
    assert store.subscribers()[0].accounts == (account, second), "in the order of linking"
    store.remove_account("alice", "msn", account.address)
    assert store.subscribers()[0].accounts == (second,)
    store.remove_account("alice", "msn", second.address)
    assert store.subscribers() == [replace(alice, name="Alice B")]


async def test_removing_a_subscriber_removes_what_is_theirs(store: Store) -> None:
    for name in ("alice", "bob"):
        store.put_subscriber(Subscriber(id=name, name=name, addresses=()))
        store.put_account(LinkedAccount(owner=name, network="msn", address=ALICE))
        store.put_contact(Contact(id="x", owner=name, name="X", addresses=()))
        store.put_contact_request(ContactRequest(owner=name, network="msn", address=BOB, at=1.0))
    store.remove_subscriber("alice")
    assert [s.id for s in store.subscribers()] == ["bob"]
    assert [c.owner for c in store.contacts()] == ["bob"]
    assert [r.owner for r in store.contact_requests()] == ["bob"]
    store.put_subscriber(Subscriber(id="alice", name="alice", addresses=()))
    assert store.subscribers()[0].accounts == ()


async def test_contacts(store: Store) -> None:
    bob = Contact(id="bob", owner="alice", name="Bob", addresses=(BOB, ALICE), networks=("sms",), blocked=True)
    store.put_contact(bob)
    store.put_contact(replace(bob, owner="desk"))
    assert list(store.contacts()) == [bob, replace(bob, owner="desk")]
    store.put_contact(replace(bob, name="Robert"))
    store.remove_contact("desk", "bob")
    assert list(store.contacts()) == [replace(bob, name="Robert")]


async def test_a_contact_with_what_networks_say_of_it(store: Store) -> None:
    account = Address("msn", "alice@msn.test")
    mark = Mark(
        network="msn",
        account=account,
        address=BOB,
        name="Bobby",
        groups=("Friends",),
        tie=Tie.MUTUAL,
        blocked=True,
        told=True,
    )
    bare = Mark(network="xmpp", account=None, address=BOB, tie=Tie.GONE)
    bob = Contact(id="bob", owner="alice", name="Bob", addresses=(BOB,), marks=(mark, bare), written=False)
    gone = Contact(id="carol", owner="alice", name="Carol", addresses=(ALICE,), removed=True)
    store.change_contacts([bob, gone], [])
    assert list(store.contacts()) == [bob, gone]
    before = store.version()
    store.change_contacts([replace(bob, name="Robert")], [("alice", "carol")])
    assert list(store.contacts()) == [replace(bob, name="Robert")]
    assert store.version() == before + 1, "one change, however many contacts"


async def test_contact_requests(store: Store) -> None:
    asked = ContactRequest(
        owner="alice", network="msn", address=BOB, at=5.0, name="Bob", text="Hi", account=Address("msn", "a@msn.test")
    )
    other = ContactRequest(owner="desk", network="xmpp", address=BOB, at=6.0)
    store.put_contact_request(asked)
    store.put_contact_request(other)
    assert list(store.contact_requests()) == [asked, other]
    answered = replace(asked, answer=Answer.ACCEPTED)
    assert answered.id == asked.id
    store.put_contact_request(answered)
    store.remove_contact_request("desk", other.id)
    assert list(store.contact_requests()) == [answered]


async def test_secrets(store: Store) -> None:
    store.put_secret("ha1", "alice", b"\x01")
    store.put_secret("token", "alice", b"\x02")
    store.put_secret("ha1", "bob", b"\x03")
    assert store.secret("ha1", "alice") == b"\x01"
    assert store.secrets("ha1") == {"alice": b"\x01", "bob": b"\x03"}
    store.put_secret("ha1", "alice", None)
    assert store.secret("ha1", "alice") is None
    assert store.secret("token", "alice") == b"\x02"


async def test_every_change_of_administration_raises_the_version(store: Store) -> None:
    changes: list[Callable[[], None]] = [
        lambda: store.put_subscriber(Subscriber(id="alice", name="A", addresses=())),
        lambda: store.put_account(LinkedAccount(owner="alice", network="msn", address=ALICE)),
        lambda: store.put_contact(Contact(id="bob", owner="alice", name="B", addresses=())),
        lambda: store.put_secret("ha1", "alice", b"x"),
        lambda: store.put_secret("ha1", "alice", None),
        lambda: store.remove_contact("alice", "bob"),
        lambda: store.remove_account("alice", "msn", ALICE),
        lambda: store.change_contacts([], [("alice", "bob")]),
        lambda: store.put_contact_request(ContactRequest(owner="alice", network="msn", address=BOB, at=1.0)),
        lambda: store.remove_contact_request("alice", "x"),
        lambda: store.remove_subscriber("alice"),
    ]
    for change in changes:
        before = store.version()
        change()
        assert store.version() > before
    before = store.version()
    await stored(store, unit())
    assert store.version() == before


async def test_administration_while_groups_are_written(store: Store) -> None:
    left = 40
    finished = asyncio.Event()

    def done(_: Committed) -> None:
        nonlocal left
        left -= 1
        store.put_secret("token", str(left), b"x")
        finished.set() if not left else store.commit(unit(f"m{left}"), done)

    store.commit(unit("m"), done)
    await finished.wait()
    assert len(store.secrets("token")) == 40
    assert store.counts()["messages"] == 40


async def test_administration_while_a_commit_is_under_way(store: Store) -> None:
    answers: list[Committed] = []
    for turn in range(20):
        store.commit(unit(f"m{turn}"), answers.append)
        await asyncio.sleep(0)  # the group begins in the next turn, its commit may end in a later one
        store.put_secret("token", str(turn), b"x")
    await stored(store, Changes())
    assert len(store.secrets("token")) == len(answers) == 20
    assert all(answer.error is None for answer in answers)


# ----------------------------------------------------------------------------------------------- closing, opening


async def test_close_finishes_what_was_handed_in(path: Path) -> None:
    store = await open_store(str(path))
    answers: list[Committed] = []
    for n in range(600):
        store.commit(unit(f"m{n}"), answers.append)
    await store.close()
    assert len(answers) == 600
    await store.close()
    again = await open_store(str(path))
    assert again.counts()["messages"] == 600
    await again.close()


async def test_a_closed_store_takes_nothing(path: Path) -> None:
    store = await open_store(str(path))
    await store.close()
    with pytest.raises(RuntimeError):
        store.commit(unit())


async def test_everything_is_there_after_reopening(path: Path) -> None:
    store = await open_store(str(path))
    one = unit("m1", queue="alice", sent_thread="alice|bob")
    report = Report(status=Status.DELIVERED, network="sms", source="SMSC receipt", at=NOW, key="1")
    one.references.append(ReferenceRow("sms", one.deliveries[0].id, Reference(key="K")))
    one.parked.append(report)
    one.sessions.append(session())
    one.state.append(("room", "key", b"value"))
    await stored(store, one)
    store.put_subscriber(Subscriber(id="alice", name="A", addresses=(ALICE,)))
    version = store.version()
    await store.close()
    again = await open_store(str(path))
    record = one.deliveries[0]
    assert again.history("alice", "bob") == [(record, True)]
    assert again.referenced("sms", "K") == one.references
    assert again.parked(1) == [report]
    assert again.open_sessions() == one.sessions
    assert again.trail(one.messages[0].id) == one.trail
    assert again.get_state("room", "key") == b"value"
    assert again.version() == version
    later = unit("m2")
    await stored(again, later)
    assert later.deliveries[0].seq > record.seq
    await again.close()


async def test_what_was_answered_is_in_the_files_without_a_close(path: Path, tmp_path: Path) -> None:
    """A crash leaves the files as they are at that moment: a copy of them, taken from the answer, has the message."""
    store = await open_store(str(path))
    copied = asyncio.Event()

    def copy(_: Committed) -> None:
        for file in path.parent.glob("store.db*"):
            shutil.copy(file, tmp_path / f"crashed{file.name.removeprefix('store')}")
        copied.set()

    for n in range(100):
        store.commit(unit(f"m{n}"))
    store.commit(unit("last"), copy)
    await copied.wait()
    await store.close()
    crashed = await open_store(str(tmp_path / "crashed.db"))
    assert crashed.counts()["messages"] == 101
    assert crashed.counts()["queued"] == 101
    await crashed.close()


async def test_another_process_sees_and_is_seen(path: Path) -> None:
    """The command line administers the file of a running server."""
    server, command = await open_store(str(path)), await open_store(str(path))
    before = server.version()
    command.put_secret("token", "new", b"x")
    assert server.version() > before
    assert server.secret("token", "new") == b"x"
    await stored(command, unit("from-the-command"))
    await stored(server, unit("m1"), unit("m2"))
    await stored(command, unit("again"))
    assert server.counts()["messages"] == 4
    await command.close()
    await server.close()


# ---------------------------------------------------------------------------------- taken back, replaced, kept


async def test_the_time_that_a_sender_wants_is_kept(store: Store) -> None:
    kept = message(not_before=NOW + 3600.5)
    await stored(store, Changes(messages=[kept]))
    assert store.message(kept.id) == kept


async def test_seizing_leases_what_is_queued_whatever_it_waits_for(store: Store) -> None:
    await stored(store, unit("m1", not_before=LONG_AFTER, queue="user:bob"), unit("m2", state=DeliveryState.ACCEPTED))
    assert store.waiting("user:bob") == 1
    (seized,) = await seize(store, ["d-m1@device.test", "d-m2@device.test", "d-nothing"], NOW + 1, NOW + 60)
    assert (seized.id, seized.state, seized.token) == ("d-m1@device.test", DeliveryState.SENDING, 1)
    assert (seized.queue, seized.not_before, seized.lease_until) == ("user:bob", LONG_AFTER, NOW + 60)
    assert store.delivery("d-m1@device.test") == seized
    assert store.waiting("user:bob") == 0
    assert not await seize(store, ["d-m1@device.test"], NOW + 2, NOW + 60)
    assert not await claim(store, NOW + 2, NOW + 60, queue="user:bob")


async def test_what_a_message_is_found_by_when_its_ids_begin_alike(store: Store) -> None:
    one = message()
    await stored(store, Changes(messages=[one], deliveries=[delivery(one, id=f"{one.id}.{n}") for n in range(3)]))
    seized = await seize(store, [f"{one.id}.2", f"{one.id}.0"], NOW, NOW + 60)
    assert {record.id for record in seized} == {f"{one.id}.0", f"{one.id}.2"}


async def test_a_seized_delivery_is_due_again_when_its_lease_is_over(store: Store) -> None:
    await stored(store, unit(not_before=LONG_AFTER))
    await seize(store, ["d-m1@device.test"], NOW, NOW + 60)
    assert not await claim(store, NOW + 59, NOW + 100)
    assert ids(await claim(store, NOW + 60, NOW + 100)) == ["d-m1@device.test"]


async def test_a_replaced_message_has_its_new_content_and_times(store: Store) -> None:
    changes = unit()
    await stored(store, changes)
    before = changes.messages[0]
    new = replace(
        before, parts=(text_part("At nine"),), wants=Disposition.DISPLAY, expires_at=NOW + 50, not_before=NOW + 10
    )
    await stored(store, Changes(rewritten=[(new, NOW + 50)]))
    assert store.message(before.id) == new
    (record,) = store.deliveries_of(before.id)
    assert (record.message, record.expires_at) == (new, NOW + 50)


async def test_what_is_over_keeps_when_it_would_have_expired(store: Store) -> None:
    changes = unit(state=DeliveryState.DELIVERED)
    await stored(store, changes)
    await stored(store, Changes(rewritten=[(changes.messages[0], NOW + 50)]))
    assert store.deliveries_of(changes.messages[0].id)[0].expires_at == LONG_AFTER


async def test_a_receiver_does_not_see_what_is_kept_or_was_taken_back(store: Store) -> None:
    sides = {"sent_thread": "alice|bob", "received_thread": "bob|alice"}
    await stored(
        store,
        unit("kept", not_before=LONG_AFTER, **sides),
        unit("back", state=DeliveryState.FAILED, error="cancelled", **sides),
        unit("waits", not_before=LONG_AFTER, queue="user:bob", **sides),
    )
    assert ids([record for record, _ in store.history("bob", "alice")]) == ["d-waits@device.test"]
    assert [thread.last.id for thread in store.threads("bob")] == ["d-waits@device.test"]
    assert len(store.history("alice", "bob")) == 3
    assert [record.withheld for record, _ in store.history("alice", "bob")] == [True, True, False]
