"""As terminal: we submit to a foreign SMS centre by calling it, and are called by it."""

from contextlib import asynccontextmanager

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.report import Status
from opencpm.lab.line import LabExchange
from opencpm.protocols.gsm.tpdu.address import TpAddress
from tests.interworking.fixedline.support import ALICE, BOB, FOREIGN, LINE, delivery, eventually, failed, start


@asynccontextmanager
async def rig(**settings):
    async with LabExchange() as exchange:
        centre = exchange.centre(FOREIGN)
        base = {"role": "terminal", "number": LINE, "centre": FOREIGN}
        running = await start(exchange, **{**base, **settings})
        running.centre = centre
        try:
            yield running
        finally:
            await running.stop()


async def test_a_text_is_submitted_and_its_report_comes_in_a_call_of_the_centre():
    async with rig() as r:
        r.send(delivery("Hello Bob"))
        outcome = await r.inbox.outcome()
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "ACK of the SMS centre")
        (taken,) = r.centre.taken
        assert (taken.text, taken.line) == ("Hello Bob", LINE.lstrip("+"))
        assert taken.submit.destination == TpAddress(BOB.value[1:])
        assert taken.submit.report
        assert taken.submit.validity >= 3600
        await r.centre.wait(r.centre.report(taken))
        (report,) = r.inbox.reports
        assert report.status is Status.DELIVERED
        assert report.key == outcome.references[0].key


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [(0x21, Status.PENDING, None), (0x46, Status.FAILED, Reason.EXPIRED), (0x41, Status.FAILED, Reason.UNDELIVERABLE)],
)
async def test_what_reports_say(status, said, reason):
    async with rig() as r:
        r.send(delivery())
        taken = await r.centre.wait_taken(0)
        await r.centre.wait(r.centre.report(taken, status))
        (report,) = r.inbox.reports
        assert (report.status, report.error and report.error.reason) == (said, reason)


async def test_a_report_is_acknowledged_after_it_is_stored():
    async with rig() as r:
        r.send(delivery())
        taken = await r.centre.wait_taken(0)
        r.inbox.hold = True
        told = r.centre.report(taken)
        await r.inbox.until(lambda: r.inbox.reports)
        assert told.status == "calling"
        r.inbox.release()
        await r.centre.wait(told)
        assert told.status == "delivered"


async def test_a_text_for_our_line_goes_to_who_wrote_from_it_last():
    async with rig() as r:
        r.send(delivery())
        await r.inbox.outcome()
        told = await r.centre.wait(r.centre.deliver("on my way", BOB.value, LINE))
        assert told.status == "delivered"
        (came,) = r.inbox.messages
        assert (came.text, came.sender, came.recipients) == ("on my way", BOB, (ALICE,))


async def test_several_segments_in_one_call_of_the_centre():
    text = "once upon a time " * 20
    async with rig() as r:
        await r.centre.wait(r.centre.deliver(text, BOB.value, LINE))
        assert [came.text for came in r.inbox.messages] == [text]


async def test_several_texts_go_in_one_call():
    async with rig() as r:
        r.send(*[delivery(f"number {n}", id=f"d{n}") for n in range(3)])
        await r.inbox.outcome(3)
        assert [taken.text for taken in r.centre.taken] == ["number 0", "number 1", "number 2"]
        assert len({taken.submit.reference for taken in r.centre.taken}) == 3
        assert len(r.exchange.log) == 1


async def test_nobody_but_the_centre_is_answered():
    async with rig() as r:
        stranger = r.exchange.centre("+12025550123")
        told = await stranger.wait(stranger.deliver("buy now", "+12025550123", LINE))
        assert told.status == "failed"
        assert r.exchange.log.calls[-1].end.startswith("480")
        assert not r.inbox.messages


async def test_the_centre_may_call_from_other_numbers_and_with_a_sub_address():
    async with rig(centre_calls=["+120255501"]) as r:
        other = r.exchange.centre("+12025550122")
        told = await other.wait(other.deliver("hello", BOB.value, LINE))
        assert told.status == "delivered"


async def test_a_number_that_is_not_ours():
    async with rig() as r:
        told = await r.centre.wait(r.centre.deliver("hello", BOB.value, "+12025550100"))
        assert told.status == "failed"
        assert r.exchange.log.calls[-1].end.startswith("404")


async def test_a_text_that_cannot_be_read_is_refused_and_the_operator_told():
    from opencpm.protocols.fsk.events import Item

    async with rig() as r:
        told = r.centre.deliver("x", BOB.value, LINE)
        await r.centre.wait(told)
        r.exchange._centre_dials(r.centre, LINE, [Item(told, {1: b"\x07\x01"})])
        await eventually(lambda: r.inbox.away)
        assert r.inbox.away[0][1] == "malformed"


async def test_a_busy_centre_is_called_again_later():
    async with rig() as r:
        r.exchange.faults.busy.add(FOREIGN)
        r.send(delivery())
        failed(await r.inbox.outcome(), Reason.BUSY, True)
