"""Submissions: what the centre gets, what its answers come to, and what is done once more."""

from __future__ import annotations

import asyncio
import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part, text_part
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.protocols.mm7.operations import SubmitReq
from opencpm.protocols.mm7.times import parse_time

from .support import ALICE, BOB, CAROL, PHOTO, Media, State, context, delivery, eventually, message, refused, rig, start


async def test_a_strict_centre_takes_it_and_the_phone_shows_it() -> None:
    async with rig() as here:
        bob = here.mmsc.phone(BOB.value)
        about = message(subject="From  the\nbeach", wants=Disposition.DISPLAY)
        outcome = await here.sent(delivery(about=about))
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.source == "MM7 SubmitRsp"
        assert outcome.losses == ("made smaller",)
        assert outcome.detail.startswith("1000 Success; ")
        assert [one.key for one in outcome.references] == ["mm1@lab-mmsc"]
        mm = await bob.wait_mm(0)
        assert (mm.text, mm.sender, mm.subject) == ("Look 😀", ALICE.value, "From the beach")
        assert mm.pictures[0].body == PHOTO.body
        assert mm.wants_read_report


async def test_every_id_is_derived_and_every_wish_is_there() -> None:
    async with rig(vas_id="svc", service_code="sc1") as here:
        expires = time.time() + 900
        await here.sent(delivery(ident="abc.0", expires_at=expires))
        (submitted,) = here.submitted()
        assert submitted.transaction_id == "abc.0"
        request = submitted.operation
        assert isinstance(request, SubmitReq)
        assert (request.sender.vasp_id, request.sender.vas_id, request.service_code) == ("vas1", "svc", "sc1")
        assert request.delivery_report is True
        assert request.read_reply is False
        assert request.content is not None
        assert request.content.allow_adaptations is True
        assert abs(parse_time(request.expiry, 0.0) - expires) <= 1


async def test_validity_is_bounded_both_ways() -> None:
    async with rig(max_validity=3600.0) as here:
        for left, wanted in ((10.0, 300.0), (86400.0, 3600.0)):
            await here.sent(delivery(ident=f"d{left}", expires_at=time.time() + left))
            expiry = here.submitted()[-1].operation.expiry
            assert abs(parse_time(expiry, 0.0) - time.time() - wanted) < 5


@pytest.mark.parametrize(
    ("code", "reason", "retryable"),
    [
        (2000, Reason.NOT_ACCEPTABLE, False),
        (2001, Reason.BARRED, False),
        (2002, Reason.UNKNOWN_ADDRESS, False),
        (2003, Reason.UNKNOWN_ADDRESS, False),
        (2007, Reason.NOT_ACCEPTABLE, False),
        (3000, Reason.UNREACHABLE, True),
        (3001, Reason.UNREACHABLE, True),
        (3002, Reason.REJECTED, False),
        (3003, Reason.NOT_ACCEPTABLE, False),
        (4000, Reason.UNREACHABLE, True),
        (4001, Reason.AUTHENTICATION, True),
        (4003, Reason.NOT_ACCEPTABLE, False),
        (4006, Reason.UNREACHABLE, True),
        (4007, Reason.BARRED, False),
        (2999, Reason.NOT_ACCEPTABLE, False),
        (3999, Reason.UNREACHABLE, True),
        (4999, Reason.REJECTED, False),
    ],
)
async def test_each_status_has_its_reason(code: int, reason: Reason, retryable: bool) -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [code]
        outcome = await here.sent(delivery())
        refused(outcome, reason, retryable)
        assert str(code) in outcome.error.code
        assert len(here.submitted()) == 1


async def test_what_may_be_tried_a_few_times_is_final_at_the_third() -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [3001]
        refused(await here.sent(delivery(attempt=3)), Reason.UNREACHABLE, False)


async def test_any_other_success_is_one() -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [1000]
        assert (await here.sent(delivery())).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (403, Reason.AUTHENTICATION, True),
        (404, Reason.NETWORK_DOWN, True),
        (408, Reason.UNREACHABLE, True),
        (413, Reason.UNSUPPORTED_MEDIA, False),
        (429, Reason.UNREACHABLE, True),
        (400, Reason.REJECTED, False),
        (500, Reason.UNREACHABLE, True),
        (503, Reason.UNREACHABLE, True),
    ],
)
async def test_each_status_of_http_has_its_reason(status: int, reason: Reason, retryable: bool) -> None:
    async with rig() as here:
        here.mmsc.faults.http = [status] * 4
        refused(await here.sent(delivery()), reason, retryable)


# -- once more, with a change


async def test_refused_content_goes_once_more_and_smaller() -> None:
    media = Media()
    async with rig(context(media=media)) as here:
        here.mmsc.faults.statuses = [2004, 1000]
        assert (await here.sent(delivery())).kind is OutcomeKind.ACCEPTED
        first, second = media.targets
        assert second.max_bytes < first.max_bytes
        assert [one.transaction_id for one in here.submitted()] == ["d1.0", "d1.0-1"]


async def test_content_refused_twice_is_refused() -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [2004, 2004]
        refused(await here.sent(delivery()), Reason.UNSUPPORTED_MEDIA, False)
        assert len(here.submitted()) == 2


async def test_a_text_is_not_made_smaller() -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [2004]
        refused(await here.sent(delivery(text_part("Hi"))), Reason.UNSUPPORTED_MEDIA, False)
        assert len(here.submitted()) == 1


async def test_a_centre_of_another_release_is_spoken_to_in_it_from_then_on() -> None:
    async with rig() as here:
        here.mmsc.faults.only_release = "REL-5-MM7-1-0"
        assert (await here.sent(delivery(ident="a.0"))).kind is OutcomeKind.ACCEPTED
        assert (await here.sent(delivery(ident="b.0"))).kind is OutcomeKind.ACCEPTED
        said = [one.release.version for one in here.submitted()]
        assert said == ["6.8.0", "5.3.0", "5.3.0"]
        assert here.connector.describe()["release"] == "5.3.0"


async def test_a_centre_that_knows_no_release_of_ours_refuses_after_one_change() -> None:
    async with rig() as here:
        here.mmsc.faults.only_release = "REL-9"
        refused(await here.sent(delivery()), Reason.NOT_ACCEPTABLE, False)
        assert len(here.submitted()) == 2


async def test_changes_of_every_kind_end() -> None:
    async with rig() as here:
        here.mmsc.faults.statuses = [4004, 2004, 4004, 2004, 4004]
        refused(await here.sent(delivery()), Reason.NOT_ACCEPTABLE, False)
        assert len(here.submitted()) == 3


# -- no answer


async def test_a_submission_without_an_answer_is_repeated_once_with_its_id_and_marked() -> None:
    async with rig() as here:
        here.mmsc.faults.no_answer = 1
        refused(await here.sent(delivery()), Reason.TIMEOUT, True)
        outcome = await here.sent(delivery(attempt=2, token=2))
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.doubled
        assert [one.transaction_id for one in here.submitted()] == ["d1.0", "d1.0"]
        assert here.connector.describe()["unanswered"] == 0


async def test_it_is_not_repeated_twice() -> None:
    async with rig() as here:
        here.mmsc.faults.no_answer = 5
        refused(await here.sent(delivery()), Reason.TIMEOUT, True)
        refused(await here.sent(delivery(attempt=2, token=2)), Reason.TIMEOUT, False)
        assert len(here.submitted()) == 2


async def test_that_is_remembered_when_the_server_dies() -> None:
    state = State()
    async with rig(context(state)) as here:
        here.mmsc.faults.silent = 1
        here.send(delivery())
        await here.mmsc.happenings.until(lambda: any(one.what == "submitted" for one in here.mmsc.happenings.all))
        await here.stop()
        again = await start(here.mmsc, context(state))
        here.mmsc.faults.no_answer = 1
        refused(await again.sent(delivery(attempt=2, token=2)), Reason.TIMEOUT, False)
        await again.stop()


@pytest.mark.parametrize("fault", ["empty", "silent"])
async def test_an_answer_that_says_nothing_is_none(fault: str) -> None:
    async with rig(answer_timeout=0.3) as here:
        setattr(here.mmsc.faults, fault, 1)
        refused(await here.sent(delivery()), Reason.TIMEOUT, True)


async def test_its_time_is_over_before_the_answer_comes() -> None:
    async with rig() as here:
        here.mmsc.faults.silent = 1
        refused(await here.sent(delivery(deadline=time.time() + 1.3)), Reason.TIMEOUT, True)


async def test_its_time_is_over_while_pictures_are_converted() -> None:
    class Slow(Media):
        async def adapt(self, parts, target):
            await asyncio.Event().wait()

    async with rig(context(media=Slow())) as here:
        refused(await here.sent(delivery(deadline=time.time() + 1.2)), Reason.CONGESTION, True)
        assert here.submitted() == []


# -- the link


async def test_a_centre_that_is_away_is_down_and_comes_back() -> None:
    async with rig() as here:
        await here.mmsc.down()
        refused(await here.sent(delivery()), Reason.NETWORK_DOWN, True)
        await here.inbox.until(lambda: here.inbox.healths[-1].state is HealthState.DOWN)
        refused(await here.sent(delivery(ident="d2.0")), Reason.NETWORK_DOWN, True)
        await here.mmsc.up()
        await here.inbox.until(lambda: here.inbox.healths[-1].state is HealthState.UP)
        outcome = await here.sent(delivery(attempt=2, token=2))
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert not outcome.doubled


async def test_refused_credentials_take_the_link_down_with_a_long_pause() -> None:
    async with rig(password="wrong", refused_retry=0.2) as here:
        refused(await here.sent(delivery()), Reason.AUTHENTICATION, True)
        health = here.connector.health()
        assert health.state is HealthState.DOWN
        assert "401" in health.detail
        assert "wrong" not in str(here.connector.describe()) + health.detail
        await here.inbox.until(lambda: here.inbox.healths[-1].state is HealthState.UP)


async def test_a_connection_closed_before_the_request_was_read_may_have_brought_it() -> None:
    """What is not known is not claimed: the request was written."""
    async with rig() as here:
        here.mmsc.faults.disconnect = 1
        outcome = await here.sent(delivery())
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.error.retryable


# -- what does not begin


async def test_what_cannot_go_says_why_at_once() -> None:
    async with rig() as here:
        notice = Notice(message_id="x", original_sent_at=0.0, recipient=BOB, status=Status.DELIVERED)
        nobody = Address("sip", "alice@cpm.test")
        refused(await here.sent(delivery(notice=notice)), Reason.NOT_ACCEPTABLE, False)
        refused(await here.sent(delivery(expires_at=1.0)), Reason.EXPIRED, False)
        refused(await here.sent(delivery(source=nobody)), Reason.INVALID_SOURCE, False)
        refused(await here.sent(delivery(target=nobody)), Reason.UNKNOWN_ADDRESS, False)
        refused(await here.sent(delivery(deadline=time.time())), Reason.CONGESTION, True)


async def test_a_picture_that_cannot_be_adapted_is_the_word_of_the_workers() -> None:
    media = Media()
    media.error = SendError(Reason.UNSUPPORTED_MEDIA, detail="photograph is damaged")
    async with rig(context(media=media)) as here:
        outcome = await here.sent(delivery())
        refused(outcome, Reason.UNSUPPORTED_MEDIA, False)
        assert outcome.source == "this server"


async def test_a_text_too_long_for_the_class() -> None:
    async with rig(content_class="text") as here:
        refused(await here.sent(delivery(text_part("x" * 40_000))), Reason.TOO_LARGE, False)


async def test_a_fault_of_ours_costs_only_its_message() -> None:
    class Broken(Media):
        async def adapt(self, parts, target):
            raise ZeroDivisionError

    async with rig(context(media=Broken())) as here:
        refused(await here.sent(delivery()), Reason.INTERNAL, False)
        assert (await here.sent(delivery(text_part("Hi"), ident="d2.0"))).kind is OutcomeKind.ACCEPTED


async def test_more_than_may_be_in_hand_is_congestion() -> None:
    async with rig(in_hand=2, connections=1) as here:
        here.mmsc.faults.silent = 1
        here.send(*(delivery(text_part("Hi"), ident=f"d{n}.0") for n in range(3)))
        refused(await here.inbox.outcome(), Reason.CONGESTION, True)
        assert here.connector.health().state is HealthState.BUSY
        assert here.connector.health().backlog == 2


async def test_what_has_not_begun_when_it_stops_is_given_back() -> None:
    async with rig(connections=1) as here:
        here.mmsc.faults.silent = 1
        here.send(*(delivery(text_part("Hi"), ident=f"d{n}.0") for n in range(3)))
        await here.mmsc.happenings.until(lambda: bool(here.mmsc.happenings.all))
        await here.stop()
        assert [one.delivery_id for one in here.inbox.outcomes] == ["d1.0", "d2.0"]
        for outcome in here.inbox.outcomes:
            refused(outcome, Reason.NETWORK_DOWN, True)


async def test_what_goes_to_one_phone_goes_in_order() -> None:
    async with rig(connections=4) as here:
        bob = here.mmsc.phone(BOB.value)
        here.send(*(delivery(text_part(f"{n}"), ident=f"d{n}.0") for n in range(12)))
        await bob.wait_mm(11)
        assert [mm.text for mm in bob.mms] == [str(n) for n in range(12)]


async def test_the_target_is_the_class_of_the_number() -> None:
    media = Media()
    async with rig(context(media=media), classes={BOB.value: "image-basic"}) as here:
        await here.sent(delivery())
        assert media.targets[0].image_box == (160, 120)


async def test_nothing_is_left_in_hand() -> None:
    async with rig() as here:
        here.send(*(delivery(text_part("Hi"), ident=f"d{n}.0", source=CAROL) for n in range(5)))
        await here.inbox.outcome(5)
        await eventually(lambda: here.connector.health().backlog == 0)
        assert {one.kind for one in here.inbox.outcomes} == {OutcomeKind.ACCEPTED}


async def test_a_card_and_a_file_without_a_name_are_named_on_the_wire() -> None:
    async with rig() as here:
        bob = here.mmsc.phone(BOB.value)
        await here.sent(delivery(Part("text/x-vcard", b"BEGIN:VCARD\r\nEND:VCARD")))
        mm = await bob.wait_mm(0)
        assert mm.parts[0].media_type == "text/x-vcard"
