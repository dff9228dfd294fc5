"""A picture for a telephone that shows none: the text with the link, the page behind it, and its end."""

from __future__ import annotations

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part, text_part
from opencpm.domain.profile import Fit
from opencpm.domain.trail import Step
from opencpm.messaging.links import SHORT_TEXT, with_link
from opencpm.messaging.shares import Shares
from tests.messaging.world import World

PICTURE = Part("image/jpeg", b"\xff\xd8" * 100)
PAGE = "https://cpm.test/c/token"


def text_only(message: Message) -> Fit:
    """The content rules of a network for texts."""
    if any(part.media_type != "text/plain" for part in message.parts):
        return Fit(error=SendError(Reason.UNSUPPORTED_MEDIA, detail="text only"))
    return Fit(segments=1 + len(message.text) // 160)


@pytest.fixture
def shares(world: World) -> Shares:
    world.sms.fit = world.msn.fit = text_only  # type: ignore[method-assign]
    return Shares(world.store, world.clock, "k" * 32, lambda: "https://cpm.test")


async def test_the_receiver_gets_the_text_with_a_link_and_the_original_is_kept(world: World, shares: Shares) -> None:
    message = world.message("", parts=(text_part("Look!"), PICTURE))
    await world.send(message)
    delivery = (await world.sms.until(1))[0]
    text = delivery.message.text
    assert text.startswith("Look!\nhttps://cpm.test/c/")
    assert delivery.message.id == message.id
    opened = shares.opened(text.rpartition("/")[2])
    assert opened is not None
    assert opened[0].parts == message.parts
    selected = next(entry for entry in world.store.trail(message.id) if entry.step is Step.SELECTED)
    assert '"form":"link"' in selected.data


async def test_a_further_attempt_has_the_same_link(world: World, shares: Shares) -> None:
    await world.send(world.message("", parts=(PICTURE,)))
    first = (await world.sms.until(1))[0]
    world.sms.refuse(first, Reason.CONGESTION, retryable=True, retry_after=1.0)
    await world.settle()
    world.clock.time += 1.1
    world.messaging.health_changed("sms", world.sms.health())
    second = (await world.sms.until(2))[1]
    assert second.message.text == first.message.text
    assert first.message.text.startswith("Picture: https://")


async def test_a_link_ends(world: World, shares: Shares) -> None:
    await world.send(world.message("", parts=(PICTURE,)))
    token = (await world.sms.until(1))[0].message.text.rpartition("/")[2]
    world.clock.time += world.policy.link_lifetime + 1
    assert shares.opened(token) is None
    assert shares.opened("x" * 22) is None
    assert shares.opened("short") is None


def test_a_text_too_long_is_begun_and_goes_on_behind_the_link(world: World) -> None:
    long = with_link(world.message("", parts=(text_part("word " * 1000),)), PAGE)
    said, _, page = long.text.partition("\n")
    assert said.endswith("…")
    assert len(said) <= SHORT_TEXT + 1
    assert page == PAGE


def test_several_kinds_are_a_message(world: World) -> None:
    parts = (PICTURE, Part("audio/amr", b"#!AMR\n"))
    assert with_link(world.message("", parts=parts), PAGE).text == f"Message: {PAGE}"
