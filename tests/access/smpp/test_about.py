"""Messages kept until a time, asked about, taken back and replaced by who submitted them; the whole server."""

import asyncio

import pytest

from opencpm.access.smpp.ids import coded, coding_of, meant
from opencpm.lab.smsc import Coverage
from opencpm.protocols.gsm.segmentation import segment
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.short_message import UDHI
from opencpm.protocols.smpp.status import RCANCELFAIL, RINVEXPIRY, RINVMSGLEN, RINVSCHED, RREPLACEFAIL, RTHROTTLED

from .esme import sm
from .house import ALICE_NUMBER, NUMBER, PHONE, house, house_with_smsc

HOUR = "000000010000000R"
SECOND = "000000000001000R"


async def state_of(esme, message_id):
    response = await esme.request(Command.QUERY_SM, message_id=message_id)
    return response.body["message_state"], bool(response.body["final_date"])


async def cancel(esme, message_id="", **more):
    return (await esme.request(Command.CANCEL_SM, message_id=message_id, **more)).status


async def replace(esme, message_id, text, **more):
    return (await esme.request(Command.REPLACE_SM, message_id=message_id, short_message=text, **more)).status


@pytest.mark.parametrize("coding", [0, 1, 3, 5, 6, 7, 8, 0x0A, 0x0E, 0xF0, 0x18])
def test_an_id_knows_how_its_text_was_coded(coding):
    ident = coded("ab00", coding)
    assert ident in meant("AB00")
    assert coding_of(ident) == {0x18: 8}.get(coding, coding)
    assert coding_of("ab00.0123abcd") == 0


# -- kept until a time


async def test_a_scheduled_message_goes_at_its_time(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        status, message_id = await esme.submit(sm("Good morning", PHONE, registered_delivery=1, schedule=SECOND))
        assert status == 0
        assert await state_of(esme, message_id) == (1, False)
        assert not phone.texts
        assert (await phone.wait_text(0)).text == "Good morning"
        await esme.until(lambda: esme.receipts)
        assert await state_of(esme, message_id) == (2, True)


@pytest.mark.parametrize(("version", "state"), [(0x34, 1), (0x50, 0)])
async def test_being_scheduled_is_a_state_of_5_0(tmp_path, version, state):
    async with house_with_smsc(tmp_path) as one, one.esme(version=version) as esme:
        _, message_id = await esme.submit(sm("Later", PHONE, schedule=HOUR))
        assert await state_of(esme, message_id) == (state, False)


async def test_a_time_that_has_passed_means_at_once(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        await esme.submit(sm("Now", PHONE, schedule="200101000000000+"))
        assert (await phone.wait_text(0)).text == "Now"


async def test_a_long_message_too(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        ids = []
        for header, octets in segment("All work and no play. " * 10, 9).segments:
            part = sm(header + octets, PHONE, esm_class=UDHI, schedule=HOUR, registered_delivery=1)
            ids.append((await esme.submit(part))[1])
        assert await state_of(esme, ids[0]) == (1, False)
        assert await replace(esme, ids[0], b"x") == RREPLACEFAIL  # a segment is not exchanged
        assert await cancel(esme, ids[1]) == 0  # any of its ids means the message
        await esme.until(lambda: len(esme.receipts) == 2)
        assert [state for _, _, state in esme.receipts] == ["DELETED", "DELETED"]
        assert not phone.texts


# -- taken back


async def test_what_waits_is_taken_back_and_its_receipt_says_so(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme:
        _, message_id = await esme.submit(sm("Oops", ALICE_NUMBER, NUMBER, registered_delivery=1))
        ends = {"source_addr_ton": 1, "source_addr": NUMBER[1:], "dest_addr_ton": 1}
        assert await cancel(esme, message_id, **ends, destination_addr="12025550177") == RCANCELFAIL
        assert await cancel(esme, message_id, source_addr_ton=0, source_addr="60606") == RCANCELFAIL
        assert await cancel(esme, message_id, **ends, destination_addr=ALICE_NUMBER[1:]) == 0
        await esme.until(lambda: esme.receipts)
        assert esme.receipts == [(0x04, message_id, "DELETED")]
        assert await state_of(esme, message_id) == (4, True)
        assert await cancel(esme, message_id) == 0  # it was
        async with one.device() as device:
            await esme.submit(sm("Hello", ALICE_NUMBER))
            await one.until(lambda: device.inbox)
            assert [message.text for message in device.inbox] == ["Hello"]


async def test_what_the_sms_network_has_is_asked_back_from_it(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        phone.coverage = Coverage.OFF
        _, message_id = await esme.submit(sm("Oops", PHONE, registered_delivery=1))
        await one.until(lambda: one.smsc.taken)
        async with asyncio.timeout(10):
            while await cancel(esme, message_id):  # until its answer has come, nobody can ask for it
                await asyncio.sleep(0.01)
        await esme.until(lambda: esme.receipts)
        assert esme.receipts == [(0x04, message_id, "DELETED")]
        phone.coverage = Coverage.ON
        assert not phone.texts


async def test_what_has_arrived_is_not_taken_back(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        _, message_id = await esme.submit(sm("Hello", PHONE, registered_delivery=1))
        await esme.until(lambda: esme.receipts)
        assert await cancel(esme, message_id) == RCANCELFAIL
        assert await state_of(esme, message_id) == (2, True)


async def test_all_that_waits_between_two(tmp_path):
    """Without an id the ends say what is meant (§4.9)."""
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone, other = one.smsc.handset(PHONE), one.smsc.handset("+12025550156")
        for number, to in ((1, PHONE), (2, PHONE), (3, "+12025550156")):
            await esme.submit(sm(f"text {number}", to, NUMBER, schedule=SECOND))
        ends = {"source_addr_ton": 1, "source_addr": NUMBER[1:], "dest_addr_ton": 1, "destination_addr": PHONE[1:]}
        assert await cancel(esme, **{**ends, "source_addr": ""}) == RCANCELFAIL
        assert await cancel(esme, **ends) == 0
        assert await cancel(esme, **ends) == RCANCELFAIL  # nothing waits any more
        assert (await other.wait_text(0)).text == "text 3"
        assert not phone.texts


async def test_of_many_receivers_one_or_all(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        numbers = [PHONE, "+12025550156", "+12025550157"]
        response = await esme.request(
            Command.SUBMIT_MULTI,
            dest_addresses=tuple((1, 1, number[1:]) for number in numbers),
            short_message=b"to all",
            schedule_delivery_time=HOUR,
        )
        message_id = response.body["message_id"]
        assert await cancel(esme, message_id, dest_addr_ton=1, destination_addr=PHONE[1:]) == 0
        assert await state_of(esme, message_id) == (1, False)
        assert await replace(esme, message_id, b"x") == RREPLACEFAIL
        assert await cancel(esme, message_id) == 0
        assert await state_of(esme, message_id) == (4, True)


async def test_another_accounts_message_is_neither_taken_back_nor_replaced(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.esme("bank") as other:
        _, message_id = await esme.submit(sm("for later", ALICE_NUMBER))
        assert await cancel(other, message_id) == RCANCELFAIL
        assert await replace(other, message_id, b"x") == RREPLACEFAIL
        assert await cancel(esme, "00ff") == RCANCELFAIL
        assert await state_of(esme, message_id) == (1, False)


async def test_they_count_towards_the_rate(tmp_path):
    async with house(tmp_path, terms={"rate": 0.001, "burst": 1}) as one, one.esme() as esme:
        _, message_id = await esme.submit(sm("for later", ALICE_NUMBER))
        assert await cancel(esme, message_id) == RTHROTTLED


# -- replaced


async def test_another_text_under_the_same_id(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        _, message_id = await esme.submit(sm("At eight", PHONE, NUMBER, registered_delivery=1, schedule=HOUR))
        assert await replace(esme, message_id, b"x", source_addr="60606") == RREPLACEFAIL
        status = await replace(
            esme,
            message_id,
            b"At nine",
            source_addr_ton=1,
            source_addr=NUMBER[1:],
            registered_delivery=1,
            schedule_delivery_time=SECOND,
        )
        assert status == 0
        assert (await phone.wait_text(0)).text == "At nine"
        await esme.until(lambda: esme.receipts)
        assert esme.receipts == [(0x04, message_id, "DELIVERED")]
        assert await replace(esme, message_id, b"At ten") == RREPLACEFAIL


@pytest.mark.parametrize(("coding", "codec"), [(8, "utf-16-be"), (3, "latin-1"), (0, "ascii")])
@pytest.mark.parametrize("version", [0x33, 0x34])
async def test_in_the_coding_of_the_first(tmp_path, coding, codec, version):
    async with house_with_smsc(tmp_path) as one, one.esme(version=version) as esme:
        phone = one.smsc.handset(PHONE)
        first = sm("Hi".encode(codec), PHONE, data_coding=coding, schedule=HOUR)
        _, message_id = await esme.submit(first)
        text = "At nine" if coding == 0 else "Köln"
        assert await replace(esme, message_id, text.encode(codec), schedule_delivery_time=SECOND) == 0
        assert (await phone.wait_text(0)).text == text


async def test_times_that_are_not_told_stay(tmp_path):
    async with house(tmp_path) as one, one.esme(version=0x50) as esme:
        _, message_id = await esme.submit(sm("At eight", ALICE_NUMBER, schedule=HOUR))
        assert await replace(esme, message_id, b"At nine") == 0
        assert await state_of(esme, message_id) == (0, False)


@pytest.mark.parametrize(
    ("text", "more", "status"),
    [
        (b"", {}, RINVMSGLEN),
        (b"x", {"sm_default_msg_id": 1}, RINVMSGLEN),
        (b"x", {"schedule_delivery_time": "tomorrow"}, RINVSCHED),
        (b"x", {"validity_period": "tomorrow"}, RINVEXPIRY),
        (b"x", {"validity_period": SECOND, "schedule_delivery_time": HOUR}, RINVEXPIRY),
        (b"x", {"validity_period": SECOND}, RINVSCHED),  # kept for an hour, as it was
    ],
)
async def test_what_cannot_be_is_refused_and_the_old_one_stays(tmp_path, text, more, status):
    async with house(tmp_path) as one, one.esme() as esme:
        _, message_id = await esme.submit(sm("At eight", ALICE_NUMBER, schedule=HOUR))
        assert await replace(esme, message_id, text, **more) == status
        assert await state_of(esme, message_id) == (1, False)


async def test_all_of_it_holds_after_a_restart(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        _, kept = await esme.submit(sm("At eight".encode("utf-16-be"), PHONE, data_coding=8, schedule=HOUR))
        _, back = await esme.submit(sm("Oops", PHONE, schedule=SECOND))
        assert await cancel(esme, back) == 0
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        assert await state_of(esme, back) == (4, True)
        assert await replace(esme, kept, "Köln".encode("utf-16-be"), schedule_delivery_time=SECOND) == 0
        assert (await phone.wait_text(0)).text == "Köln"
        assert len(phone.texts) == 1
