"""The way in: what is accepted, what is refused, and when the answer is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.domain.number import NO_FACTS, NumberFacts
from opencpm.domain.policy import Route
from opencpm.domain.profile import Availability, Fit, Reach
from tests.messaging.world import ALICE, ALICE_TEL, BOB_MSN, BOB_TEL, DESK, PICTURE, World


async def test_accepted_only_after_the_commit(world: World) -> None:
    """Rule 1 of the interfaces: when the verdict comes, the store already has the message."""
    seen: list[bool] = []
    given = asyncio.Event()

    def done(verdicts: object) -> None:
        seen.append(world.store.message(message.id) is not None)
        given.set()

    message = world.message("Running late")
    world.messaging.received([message], done)
    await asyncio.wait_for(given.wait(), 10)
    assert seen == [True]
    assert [d.target for d in await world.sms.until(1)] == [BOB_TEL]
    assert world.sms.sent[0].source == ALICE_TEL


async def test_a_repeated_message_is_accepted_again_and_sent_once(world: World) -> None:
    message = world.message("Once")
    assert await world.send(message) == [None]
    assert await world.send(message) == [None]
    assert await world.send(message, message) == [None, None]
    await world.settle()
    assert len(world.sms.sent) == 1


async def test_a_repetition_does_not_disturb_the_attempt_under_way(world: World) -> None:
    """The second attempt has another token than a new record would have: its outcome must still be heard."""
    message = world.message("Once")
    assert await world.send(message) == [None]
    (first,) = await world.sms.until(1)
    world.sms.refuse(first, Reason.CONGESTION, retryable=True, retry_after=3.0)
    await world.settle()
    world.clock.time += 3.1
    world.messaging.health_changed("sms", world.sms.health())
    second = (await world.sms.until(2))[1]
    assert await world.send(message) == [None]
    world.sms.take(second, "7")
    await world.settle()
    assert world.store.delivery(second.id).state is DeliveryState.ACCEPTED


async def test_the_trail_says_why(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    await world.settle()
    assert world.steps(message.id)[:2] == ["received", "selected"]
    selected = world.store.trail(message.id)[1]
    assert '"sms"' in selected.data
    assert selected.delivery_id == f"{message.id}.0"


async def test_refusals_have_a_reason_and_a_line_in_the_trail(world: World) -> None:
    unknown = world.message("Hi", Address("sip", "nobody@cpm.test"), ident="u")
    large = world.message("x" * 11_000_000, ident="l")
    empty = world.message("", ident="e", parts=())
    verdicts = await world.send(unknown, large, empty)
    reasons = [v.reason for v in verdicts if isinstance(v, SendError)]
    assert reasons == [Reason.UNKNOWN_ADDRESS, Reason.TOO_LARGE, Reason.MALFORMED]
    for message in (unknown, large, empty):
        assert world.steps(message.id)[-1] == "refused"
        assert world.store.message(message.id) is None


async def test_media_no_network_carries_is_refused(world: World) -> None:
    world.sms.fits = Fit(error=SendError(Reason.UNSUPPORTED_MEDIA, detail="SMS carries text only"))
    world.msn.fits = world.sms.fits
    verdict = (await world.send(world.message("", parts=(PICTURE,))))[0]
    assert verdict is not None
    assert verdict.reason is Reason.UNSUPPORTED_MEDIA


async def test_one_bad_receiver_does_not_fail_the_others(world: World) -> None:
    message = replace(world.message("All"), recipients=(BOB_TEL, Address("sip", "nobody@cpm.test"), BOB_TEL))
    assert await world.send(message) == [None]
    await world.settle()
    records = world.store.deliveries_of(message.id)
    assert [r.state for r in records] == [DeliveryState.SENDING, DeliveryState.FAILED]
    notice = world.sip.sent[0].notice
    assert notice is not None
    assert notice.status.value == "failed"


async def test_a_reply_lands_in_the_conversation(world: World) -> None:
    first = world.message("Running late", conversation_id="K1", contribution_id="C1")
    await world.send(first)
    reply = world.message("ok", ALICE_TEL, sender=BOB_TEL, ident="r1", origin="sms")
    assert await world.send(reply) == [None]
    delivered = (await world.sip.until(1))[0].message
    assert delivered.conversation_id == "K1"
    assert delivered.in_reply_to == "C1"
    assert delivered.contribution_id not in ("", "C1")
    again = world.message("and?", ALICE_TEL, sender=BOB_TEL, ident="r2", origin="sms")
    await world.send(again)
    assert (await world.sip.until(2))[1].message.in_reply_to == "C1"


async def test_what_alice_says_twice_answers_nothing(world: World) -> None:
    await world.send(world.message("one", ident="one"), world.message("two", ident="two"))
    assert [d.message.in_reply_to for d in await world.sms.until(2)] == ["", ""]


async def test_all_addresses_of_a_person_are_one_conversation(world: World) -> None:
    await world.send(world.message("by SMS", ident="a"), world.message("by MSN", BOB_MSN, ident="b"))
    await world.send(world.message("back", Address("msn", "alice@msn.test"), sender=BOB_MSN, ident="c", origin="msn"))
    await world.settle()
    threads = world.store.threads("alice")
    assert len(threads) == 1
    assert len(world.store.history("alice", threads[0].peer)) == 3


async def test_alice_away_the_message_waits_and_comes_in_order(world: World) -> None:
    world.sip.reaches["alice"] = Reach(Availability.OFFLINE)
    for n in range(5):
        assert await world.send(world.message(str(n), ALICE_TEL, sender=BOB_TEL, ident=f"w{n}", origin="sms")) == [None]
    await world.settle()
    assert world.sip.sent == []
    world.clock.time += 60
    here = world.sip.reaches["alice"] = Reach(Availability.AVAILABLE)
    world.messaging.reach_changed("sip", "alice", here)
    sent = await world.sip.until(5)
    assert [d.message.text for d in sent] == ["0", "1", "2", "3", "4"]
    assert all(d.message.sent_at == world.clock.time - 60 for d in sent)


async def test_two_subscribers_of_ours(world: World) -> None:
    await world.send(world.message("Hi Desk", DESK))
    delivery = (await world.sip.until(1))[0]
    assert (delivery.source, delivery.target, delivery.network) == (ALICE, DESK, "sip")
    await world.settle()
    assert len(world.store.threads("alice")) == len(world.store.threads("desk")) == 1


async def test_a_stranger_has_one_conversation_under_all_their_spellings(world: World) -> None:
    await world.send(world.message("out", Address("im", "someone@msn.test"), ident="o"))
    reply = world.message(
        "back", Address("msn", "alice@msn.test"), sender=Address("msn", "someone@msn.test"), ident="i"
    )
    await world.send(replace(reply, origin="msn"))
    await world.settle()
    assert [thread.peer for thread in world.store.threads("alice")] == ["msn:someone@msn.test"]


async def test_a_national_number_is_the_same_person(world: World) -> None:
    world.messaging.set_policy(replace(world.policy, home_region="US"))
    await world.send(world.message("local", Address("tel", "2025550101"), ident="n"))
    assert (await world.sms.until(1))[0].target == BOB_TEL


async def test_the_blocked_are_refused(world: World) -> None:
    her = world.directory.add_contact("desk", "Alice", (ALICE,))
    world.directory.set_blocked("desk", her.id, True)
    verdict = (await world.send(world.message("Hi", DESK)))[0]
    assert verdict is not None
    assert world.sip.sent == []


# --------------------------------------------------------------------------- who serves a number, asked at the door


class Asked:
    """Numbers of which nothing is known until the test says so."""

    def __init__(self) -> None:
        self.known: dict[str, NumberFacts] = {}
        self.waiting: list[Callable[[], None]] = []

    def facts(self, number: str) -> NumberFacts:
        return self.known.get(number, NO_FACTS)

    def missing(self, numbers: Iterable[str]) -> list[str]:
        return [number for number in numbers if number not in self.known]

    def ask(self, numbers: Sequence[str], done: Callable[[], None]) -> None:
        def answered() -> None:
            self.known.update(dict.fromkeys(numbers, NumberFacts("", "310260", "a test")))
            done()

        self.waiting.append(answered)

    async def run(self) -> None: ...


async def test_a_number_is_asked_about_before_the_decision_and_only_once(world: World) -> None:
    asked = Asked()
    world.messaging._ground.numbers = asked
    world.messaging.set_policy(
        replace(world.policy, routes=(*world.policy.routes, Route(prefix="", networks=("msn",), carrier="310260")))
    )
    first = asyncio.create_task(world.send(world.message("Hello", ident="m1")))
    second = asyncio.create_task(world.send(world.message("Hello again", ident="m2")))
    await world.settle()
    assert (len(asked.waiting), world.sms.sent, first.done()) == (2, [], False)
    for answered in asked.waiting:
        answered()
    assert (await first, await second) == ([None], [None])
    assert [d.message.text for d in await world.msn.until(2)] == ["Hello", "Hello again"]
    assert await world.send(world.message("And again", ident="m3")) == [None]
    assert len(asked.waiting) == 2


async def test_nobody_asks_about_our_own_peoples_numbers(world: World) -> None:
    asked = Asked()
    world.messaging._ground.numbers = asked
    assert await world.send(world.message("Hello", ALICE_TEL, sender=DESK)) == [None]
    assert asked.waiting == []


async def test_a_device_cannot_speak_for_an_mms_centre(world: World) -> None:
    part = Part("application/vnd.wap.mms-message", bytes.fromhex("8c82984e3100"))
    (refusal,) = await world.send(world.message("", parts=(part,)))
    assert refusal is not None
    assert refusal.reason is Reason.UNSUPPORTED_MEDIA
    assert world.sms.sent == []
    assert await world.send(world.message("", parts=(part,), ident="m2", origin="mms")) == [None]
