"""Links: unguessable, the same at every attempt, durable before the outcome, forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from opencpm.domain.message import Part
from opencpm.interfaces import Changes, Committed
from opencpm.messaging.shares import PREVIEWS, REMEMBERED, ROOM, Expired, Shares
from tests.messaging.world import World

SECRET = "k" * 40


def shares(world: World, secret: str = SECRET) -> Shares:
    return Shares(world.store, world.clock, secret, lambda: "https://cpm.test")


async def sent(world: World) -> str:
    message = world.message("Hello")
    await world.send(message)
    await world.settle()
    return f"{message.id}.0"


def token(url: str) -> str:
    return url.split("/")[-1]


async def test_the_same_delivery_has_the_same_link_and_another_secret_another(world: World) -> None:
    delivery, until = await sent(world), world.clock.now() + 100
    links = shares(world)
    first, again = links.share(delivery, until), links.share(delivery, until)
    assert first == again
    assert links.share(f"{delivery}x", until).page != first.page
    assert shares(world, "x" * 40).share(delivery, until).page != first.page
    assert first.page.startswith("https://cpm.test/c/")
    assert first.part(2) == f"{first.page}/2"


async def test_it_opens_at_once_and_after_a_restart(world: World) -> None:
    delivery = await sent(world)
    links = shares(world)
    held: list[tuple[Changes, Callable[[Committed], None] | None]] = []
    commit = world.store.commit
    world.store.commit = lambda changes, done=None: held.append((changes, done))  # type: ignore[method-assign]
    share = links.share(delivery, world.clock.now() + 100)
    assert links.look(token(share.page))[0].id == delivery
    world.store.commit = commit  # type: ignore[method-assign]
    for changes, done in held:
        commit(changes, done)
    await world.settle()
    assert shares(world).look(token(share.page))[0].id == delivery


async def test_the_row_is_in_the_store_before_what_is_committed_later(world: World) -> None:
    """The order of the calls is the order of the log: with the outcome there is the link."""
    order: list[str] = []
    commit = world.store.commit

    def noted(changes: Changes, done: Callable[[Committed], None] | None = None) -> None:
        order.extend(room for room, _, _ in changes.state)
        commit(changes, done)

    delivery = await sent(world)
    world.store.commit = noted  # type: ignore[method-assign]
    shares(world).share(delivery, world.clock.now() + 100)
    world.store.commit(Changes(state=[("outcome", "x", b"")]))
    assert order == [ROOM, "outcome"]


async def test_what_the_store_could_not_take_is_tried_again(world: World) -> None:
    delivery = await sent(world)
    links = shares(world)
    commit = world.store.commit

    def full(changes: Changes, done: Callable[[Committed], None] | None = None) -> None:
        if done is not None:
            done(Committed(frozenset(), OSError("disk full")))

    world.store.commit = full  # type: ignore[method-assign]
    share = links.share(delivery, world.clock.now() + 100)
    assert links.look(token(share.page))
    world.store.commit = commit  # type: ignore[method-assign]
    assert world.store.get_state(ROOM, token(share.page)) is None
    await links.tidy()
    await world.settle()
    assert world.store.get_state(ROOM, token(share.page)) is not None


async def test_expiry_and_forgetting(world: World) -> None:
    delivery = await sent(world)
    links = shares(world)
    share = links.share(delivery, world.clock.now() + 100)
    fetch = links.fetch(delivery, 1, world.clock.now() + 50, Part("image/jpeg", b"small"))
    assert links.preview(token(share.page), 1) == Part("image/jpeg", b"small")
    await world.settle()
    assert links.preview(token(share.page), 1) == Part("image/jpeg", b"small")
    assert fetch.thumbnail_url == f"{fetch.url}/thumbnail"
    world.clock.time += 101
    with pytest.raises(Expired):
        links.look(token(share.page))
    await links.tidy()
    await asyncio.sleep(0)
    await world.settle()
    assert world.store.all_state(PREVIEWS) == {}
    with pytest.raises(Expired):
        links.file(token(share.page))
    world.clock.time += REMEMBERED
    assert links.prune() == 1
    await world.settle()
    with pytest.raises(KeyError):
        links.look(token(share.page))


async def test_a_later_until_counts_and_views_are_written_down(world: World) -> None:
    delivery, now = await sent(world), world.clock.now()
    links = shares(world)
    links.share(delivery, now + 100)
    share = links.share(delivery, now + 50)
    links.seen(token(share.page))
    await links.tidy()
    await world.settle()
    _, shown = shares(world).look(token(share.page))
    assert (shown.until, shown.views) == (now + 100, 1)
