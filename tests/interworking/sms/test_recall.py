"""cancel_sm to the SMS centre, over real sockets."""

import asyncio

import pytest

from opencpm.domain.delivery import DeliveryState, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.interfaces import DeliveryRecord
from opencpm.interworking.sms.recall import Accepted
from opencpm.lab.smsc import Coverage

from .support import BOB, delivery, rig


def record_of(one, outcome):
    """What messaging has kept of an accepted delivery."""
    return DeliveryRecord(
        id=one.id,
        message=one.message,
        recipient=one.recipient,
        state=DeliveryState.ACCEPTED,
        created_at=0.0,
        expires_at=one.expires_at,
        network="sms",
        source=one.source,
        target=one.target,
        detail=outcome.detail,
    )


async def submitted(it, text="Hello Bob"):
    one = delivery(text)
    it.connector.send([one])
    outcome = await it.inbox.outcome()
    assert outcome.kind is OutcomeKind.ACCEPTED
    return record_of(one, outcome)


async def refused(it, record):
    with pytest.raises(SendError) as caught:
        await asyncio.wait_for(it.connector.recall(record), 10)
    return caught.value


@pytest.mark.parametrize("known", [Accepted("cpm@smsc", ("0A1b",)), Accepted("a from b", ("1", "2", "3"))])
def test_ids_are_read_as_they_were_written(known):
    assert Accepted.read(known.written()) == known


@pytest.mark.parametrize("said", ["", "ok", "message_id  from a", "message_id 1,  from a", "message_id 1", "x from y"])
def test_anything_else_is_no_id(said):
    assert Accepted.read(said) is None


async def test_a_text_that_waits_for_a_phone_is_taken_back():
    async with rig() as it:
        assert it.connector.profile.recalls
        phone = it.smsc.handset(BOB.value)
        phone.coverage = Coverage.OFF
        record = await submitted(it)
        assert await asyncio.wait_for(it.connector.recall(record), 10) == "cancel_sm_resp: taken back"
        (submit,), (cancel,) = it.smsc.log.of("submit_sm"), it.smsc.log.of("cancel_sm")
        ends = ("source_addr_ton", "source_addr_npi", "source_addr", "dest_addr_ton", "destination_addr")
        assert [cancel.decoded()[name] for name in ends] == [submit.decoded()[name] for name in ends]
        phone.coverage = Coverage.ON
        assert not phone.texts


async def test_a_long_text_with_all_its_segments():
    async with rig() as it:
        phone = it.smsc.handset(BOB.value)
        phone.coverage = Coverage.OFF
        record = await submitted(it, "long " * 80)
        assert await asyncio.wait_for(it.connector.recall(record), 10) == "cancel_sm_resp: 3 segments taken back"
        phone.coverage = Coverage.ON
        assert not phone.texts


async def test_a_text_that_has_arrived_is_not():
    async with rig() as it:
        it.smsc.handset(BOB.value)
        error = await refused(it, await submitted(it))
        assert (error.reason, error.retryable) == (Reason.TOO_LATE, False)
        assert error.code == "SMPP 0x00000011 ESME_RCANCELFAIL"


async def test_a_part_of_a_text_is_told_as_that():
    async with rig() as it:
        it.smsc.handset(BOB.value).coverage = Coverage.OFF
        record = await submitted(it, "long " * 80)
        known = Accepted.read(record.detail)
        record.detail = Accepted(known.account, (*known.ids[:2], "4711")).written()
        error = await refused(it, record)
        assert error.detail == "the SMS network gave back 2 of 3 segments only"


async def test_without_an_id_or_a_link_nobody_can_be_asked():
    async with rig() as it:
        record = await submitted(it)
        await it.smsc.down()
        await it.inbox.until(lambda: len(it.inbox.healths) > 1)
        assert (await refused(it, record)).reason is Reason.NETWORK_DOWN
        record.detail = "ok"
        assert (await refused(it, record)).reason is Reason.TOO_LATE


async def test_a_link_that_breaks_meanwhile_leaves_it_open():
    async with rig() as it:
        it.smsc.handset(BOB.value).coverage = Coverage.OFF
        record = await submitted(it)
        it.smsc.changed = lambda request: [one.abort() for one in it.smsc._connections] and 0
        error = await refused(it, record)
        assert (error.reason, error.retryable) == (Reason.TIMEOUT, True)
