"""What people prefer and the operator says changes where real messages go (points 2 and 5 of the story)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencpm.domain.address import Address, tel
from opencpm.domain.policy import Route
from opencpm.domain.subscriber import WhenUnavailable
from opencpm.lab.device import LabDevice, Sent
from opencpm.lab.http import ApiError
from tests.story.village import (
    ALICE,
    BOB,
    BOB_MSN,
    BOB_NUMBER,
    CAROL,
    FIXED_NUMBER,
    UK_MOBILE,
    Village,
    village,
)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path) as found:
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


def route(prefix: str, *networks: str, of: str = "", known: str = "") -> Route:
    return Route(prefix=prefix, networks=networks, number_type=of, is_type=known)


async def network_of(place: Village, sent: Sent) -> str:
    """Which network took it."""
    assert sent.status == 202, sent
    return (await place.until_state(sent.message_id, "accepted", "delivered")).network


async def test_alices_order_wins_over_the_operators(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    assert await network_of(place, await alice.message(BOB, "by the operator's order")) == "sms"
    await place.prefer(networks=["msn"])
    assert await network_of(place, await alice.message(BOB, "by mine")) == "msn"
    assert await place.bob.text() == "by mine"
    assert [text.text for text in place.phone.texts] == ["by the operator's order"]


async def test_what_is_preferred_for_one_contact_holds_for_that_one_alone(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.contact("Bob", tel(BOB_NUMBER), Address("msn", BOB_MSN), networks=("msn",))
    place.contact("Dave", tel("+12025550103"), Address("msn", "dave@msn.test"))
    await place.prefer(networks=["sms", "msn"])
    sent = await alice.message(BOB, "for Bob")
    assert await network_of(place, sent) == "msn"
    assert "preferred for this contact" in (await place.line(sent.message_id, "selected")).what
    assert await network_of(place, await alice.message("tel:+12025550103", "for Dave")) == "sms"


async def test_a_network_alice_does_not_want_is_not_used(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    await place.prefer(denied=["sms", "land"])
    assert await network_of(place, await alice.message(BOB, "no SMS please")) == "msn"
    refused = await alice.message("tel:+12025550109", "nobody but SMS could take it")
    assert refused.status == 404
    assert place.mobile.taken == place.land.taken == 0


async def test_segments_at_most(place: Village, alice: LabDevice) -> None:
    """A text that would cost more goes another way, and where there is none it is refused, with the number."""
    place.policy(link_lifetime=0)
    await place.bob_signs_in()
    long = "word " * 60  # two segments
    assert await network_of(place, await alice.message(BOB, long)) == "sms"
    assert (await place.phone.wait_text(0)).segments == 2
    await place.prefer(max_segments=1)
    assert await network_of(place, await alice.message(BOB, long)) == "msn"
    refused = await alice.message("tel:+12025550109", long)
    assert refused.status == 413
    assert "2 segments, and at most 1" in (await place.line(refused.message_id, "refused")).what
    assert await network_of(place, await alice.message("tel:+12025550109", "short")) == "sms"


async def test_the_operators_segments_hold_over_alices(place: Village, alice: LabDevice) -> None:
    place.policy(limits=replace(place.app.messaging.policy.limits, segments=1), link_lifetime=0)
    await place.prefer(max_segments=9)
    assert (await alice.message("tel:+12025550109", "word " * 60)).status == 413


async def test_for_somebody_who_wants_no_message_while_away_it_is_refused_else_kept(
    place: Village, alice: LabDevice
) -> None:
    kept = await alice.message(CAROL, "kept")
    assert kept.status == 202
    assert (await place.line(kept.message_id, "deferred")).what == "kept until Carol is online"
    carol = place.app.directory.subscriber("carol")
    assert carol is not None
    place.app.directory.set_preferences("carol", replace(carol.preferences, when_unavailable=WhenUnavailable.REJECT))
    refused = await alice.message(CAROL, "refused")
    assert refused.status == 480
    assert "offline" in (await place.line(refused.message_id, "refused")).what
    async with place.device("carol") as hers:
        await hers.journal.wait("message")
        assert [heard.text for heard in hers.inbox] == ["kept"]


async def test_fixed_and_mobile_numbers_go_different_ways(place: Village, alice: LabDevice) -> None:
    place.policy(routes=(route("", "sms", of="mobile"), route("", "land", of="fixed")))
    assert await network_of(place, await alice.message(f"tel:{UK_MOBILE}", "to a pocket")) == "sms"
    assert await network_of(place, await alice.message(f"tel:{FIXED_NUMBER}", "to a hallway")) == "land"
    [pdu] = place.land.log.of("submit_sm")
    assert (pdu.decoded()["destination_addr"], pdu.decoded()["text"]) == (FIXED_NUMBER[1:], "to a hallway")


async def test_the_longest_range_wins_and_a_range_that_is_not_served_is_refused(
    place: Village, alice: LabDevice
) -> None:
    place.policy(routes=(route("+1", "sms"), route("+1202555", "land"), route("+44")))
    assert await network_of(place, await alice.message(BOB, "near")) == "land"
    assert await network_of(place, await alice.message("tel:+13035550109", "far")) == "sms"
    refused = await alice.message(f"tel:{UK_MOBILE}", "nowhere")
    assert refused.status == 404
    assert "+44 → not served" in (await place.line(refused.message_id, "refused")).what


async def test_what_the_operator_knows_of_a_range_is_believed_over_the_numbering_plan(
    place: Village, alice: LabDevice
) -> None:
    by_type = route("", "sms"), route("", "land", of="fixed")
    place.policy(routes=by_type)
    assert await network_of(place, await alice.message(BOB, "nothing tells what +1 is")) == "sms"
    place.policy(routes=(*by_type, route("+1202555010", "sms", of="mobile", known="fixed")))
    assert await network_of(place, await alice.message(BOB, "a landline by the table")) == "land"


async def test_the_fallback_order_is_the_operators(place: Village, alice: LabDevice) -> None:
    place.policy(order=("land", "sms"))
    assert await network_of(place, await alice.message(BOB, "first")) == "land"
    await place.land.down()
    await place.until(lambda: place.app.messaging.connectors["land"].health().state == "down")
    assert await network_of(place, await alice.message(BOB, "second")) == "sms"


async def test_networks_that_are_not_allowed_are_not_used(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.policy(allowed=frozenset({"msn"}))
    await place.prefer(networks=["sms"])
    assert await network_of(place, await alice.message(BOB, "not by SMS")) == "msn"
    refused = await alice.message("tel:+12025550109", "not at all")
    assert refused.status == 403
    assert "does not allow" in (await place.line(refused.message_id, "refused")).what


async def test_all_networks_down_is_kept_or_refused_as_the_operator_says(place: Village, alice: LabDevice) -> None:
    await place.land.down()
    health = place.app.messaging.connectors
    for defer, status in ((True, 202), (False, 503)):
        await place.mobile.down()
        await place.until(lambda: health["sms"].health().state == health["land"].health().state == "down")
        place.policy(defer_when_down=defer)
        sent = await alice.message("tel:+12025550109", "while all are down")
        assert sent.status == status
        await place.mobile.up()
        await place.mobile.wait_bound()
        if defer:
            assert await network_of(place, sent) == "sms"
        else:
            assert place.records(sent.message_id) == []


async def test_limits(place: Village, alice: LabDevice) -> None:
    limits = place.app.messaging.policy.limits
    place.policy(limits=replace(limits, message_bytes=20, deferred_per_subscriber=2))
    too_large = await alice.message(BOB, "more than twenty bytes")
    assert too_large.status == 413
    assert "20 bytes" in (await place.line(too_large.message_id, "refused")).what
    assert [(await alice.message(CAROL, f"no {n}")).status for n in range(3)] == [202, 202, 503]


async def test_a_route_chosen_for_one_message_and_nothing_else(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    sent = await place.api.post("/messages", {"to": [BOB], "text": "this once", "route": "msn"})
    assert (await place.until_state(sent["message_id"], "accepted")).network == "msn"
    await place.prefer(strict_route=True)
    with pytest.raises(ApiError) as refused:
        await place.api.post("/messages", {"to": ["tel:+12025550109"], "text": "or not at all", "route": "msn"})
    assert (refused.value.status, refused.value.problem["reason"]) == (422, "no-route")


async def test_the_dry_run_says_what_the_real_one_does(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    for wish in ({"networks": ["msn"]}, {"networks": ["land"]}, {"denied": ["land", "msn"]}):
        await place.prefer(**wish)
        plan = place.app.messaging.explain("alice", Address.parse(BOB), "the same")
        assert plan.chosen is not None
        assert await network_of(place, await alice.message(BOB, "the same")) == plan.chosen.network


async def test_a_number_in_the_national_form_is_the_same_person(place: Village, alice: LabDevice) -> None:
    assert await network_of(place, await alice.message(f"sip:2025550101@{ALICE[10:]};user=phone", "Hello")) == "sms"
    assert (await place.phone.wait_text(0)).text == "Hello"
