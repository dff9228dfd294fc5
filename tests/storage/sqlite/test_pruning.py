from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from opencpm.domain.delivery import DeliveryState
from opencpm.domain.report import Reference, Report, Status
from opencpm.domain.session import SessionState
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, ReferenceRow
from opencpm.storage.sqlite import SqliteStore, open_store
from tests.contract.drive import stored
from tests.contract.values import NOW, message, session, unit

OLD = NOW - 1000.0


async def prune(store: SqliteStore, before: float, limit: int = 100) -> int:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    store.prune(before, limit, answer.set_result)
    return await answer


def aged(name: str, at: float, state: DeliveryState = DeliveryState.DELIVERED, **other: str) -> Changes:
    one = unit(name, state=state, updated_at=at, **other)
    one.messages[0] = message(name, received_at=at)
    one.trail[0] = one.trail[0]._replace(at=at)
    one.references.append(ReferenceRow("sms", one.deliveries[0].id, Reference(key=name)))
    return one


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    opened = await open_store("")
    yield opened
    await opened.close()


@pytest.mark.parametrize("form", ["{id}.0", "free-{id}"])
async def test_what_is_final_and_old_goes_with_all_that_hangs_on_it(store: SqliteStore, form: str) -> None:
    units = [
        aged("old", OLD, id=form.format(id=message("old").id)),
        aged("waits", OLD, DeliveryState.QUEUED, id=form.format(id=message("waits").id)),
        aged("new", NOW, id=form.format(id=message("new").id)),
    ]
    await stored(store, *units)
    assert await prune(store, NOW - 1) > 0
    for one, kept in zip(units, (False, True, True), strict=True):
        assert (store.message(one.messages[0].id) is not None) is kept
        assert (store.delivery(one.deliveries[0].id) is not None) is kept
        assert (store.referenced("sms", one.references[0].reference.key) != []) is kept
        assert (store.trail(one.messages[0].id) != []) is kept
    assert store.counts()["trail"] == 2
    assert await prune(store, NOW - 1) == 0


async def test_a_message_may_come_again_after_it_was_forgotten(store: SqliteStore) -> None:
    await stored(store, aged("old", OLD))
    await prune(store, NOW)
    again = aged("old", NOW)
    await stored(store, again)
    assert store.trail(again.messages[0].id) == again.trail
    assert store.delivery(again.deliveries[0].id) == again.deliveries[0]


async def test_a_bite_has_a_limit(store: SqliteStore) -> None:
    await stored(store, *(aged(f"m{n}", OLD) for n in range(10)))
    await prune(store, NOW, 4)
    assert store.counts()["messages"] == 6
    await prune(store, NOW, 4)
    await prune(store, NOW, 4)
    assert store.counts()["messages"] == 0
    assert store.counts()["trail"] == 0


async def test_old_sessions_trails_and_parked_reports_go(store: SqliteStore) -> None:
    report = Report(status=Status.DELIVERED, network="sms", source="SMSC receipt", at=OLD, key="1")
    changes = Changes(
        sessions=[
            session("closed", state=SessionState.CLOSED, closed_at=OLD),
            session("open", opened_at=OLD),
            session("fresh", state=SessionState.CLOSED, closed_at=NOW),
        ],
        trail=[TrailEntry(name, OLD, Step.INVITED, "asks") for name in ("closed", "open", "refused")],
        parked=[report],
    )
    await stored(store, changes)
    await prune(store, NOW - 1)
    assert {s.id for s in store.sessions("alice", "bob")} == {"open", "fresh"}
    assert [store.trail(name) != [] for name in ("closed", "open", "refused")] == [False, True, False]
    assert store.parked(1) == []
