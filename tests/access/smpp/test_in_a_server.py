"""The whole server in one process: ESMEs, the SMS network behind it, CPM devices."""

import asyncio

import pytest

from opencpm.protocols.gsm.segmentation import segment
from opencpm.protocols.mm1.push import from_segments, segments_of
from opencpm.protocols.smpp.binding import Bind
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Answered
from opencpm.protocols.smpp.parts import part_of
from opencpm.protocols.smpp.pdu import Pdu, encode
from opencpm.protocols.smpp.short_message import UDHI
from opencpm.protocols.smpp.status import (
    RINVDSTADR,
    RINVSRCADR,
    RMSGQFUL,
    RTHROTTLED,
    RX_T_APPN,
)
from opencpm.protocols.smpp.tlv import Tag
from tests.protocols.mm1.vectors import NOTIFICATION

from .esme import Esme, bound, sm
from .house import ALICE, ALICE_NUMBER, NAME, NUMBER, PHONE, SHOP, house, house_with_smsc

LONG = "All work and no play makes a dull test. " * 8


async def test_a_submit_reaches_a_phone_and_its_receipt_comes_back(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        status, message_id = await esme.submit(sm("Hello", PHONE, NUMBER, registered_delivery=1))
        assert (status, len(message_id)) == (0, 24)
        assert (await phone.wait_text(0)).text == "Hello"
        assert phone.texts[0].sender == NUMBER
        await esme.until(lambda: esme.receipts)
        assert esme.receipts == [(0x04, message_id, "DELIVERED")]
        receipt = esme.taken[0]
        assert (receipt.source, receipt.destination) == (PHONE[1:], NUMBER[1:])
        assert receipt.message.startswith(f"id:{message_id} sub:001 dlvrd:001 ".encode())


async def test_a_name_as_sender_is_what_the_phone_shows(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        status, _ = await esme.submit(sm("Sale!", PHONE, NAME, source_ton=5, source_npi=0))
        assert status == 0
        assert (await phone.wait_text(0)).sender == NAME


async def test_a_phone_writes_to_the_short_code(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        one.smsc.handset(PHONE).send("STOP", to=SHOP)
        await esme.until(lambda: esme.texts)
        (text,) = esme.texts
        assert (text.source_ton, text.source, text.message) == (1, PHONE[1:], b"STOP")
        assert (text.destination_ton, text.destination) == (3, SHOP)


async def test_a_failure_is_told_as_it_is(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        one.smsc.undeliverable(PHONE)
        _, message_id = await esme.submit(sm("Hello", PHONE, registered_delivery=2))
        await esme.until(lambda: esme.receipts)
        assert esme.receipts == [(0x04, message_id, "UNDELIVERABLE")]


async def test_only_what_registered_delivery_asks_for(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        one.smsc.undeliverable("+12025550156")
        await esme.submit(sm("none", PHONE))
        await esme.submit(sm("failures only", PHONE, registered_delivery=2))
        await esme.submit(sm("successes only", "+12025550156", registered_delivery=3))
        _, last = await esme.submit(sm("both, and on the way", PHONE, registered_delivery=0x11))
        await esme.until(lambda: len(esme.receipts) == 2)
        assert esme.receipts == [(0x20, last, "ENROUTE"), (0x04, last, "DELIVERED")]


async def test_a_long_message_is_one_message_and_each_segment_has_its_receipt(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        parts = segment(LONG, 7).segments
        answers = [
            await esme.submit(sm(part.header + part.content, PHONE, NUMBER, esm_class=UDHI, registered_delivery=1))
            for part in parts
        ]
        assert [status for status, _ in answers] == [0] * len(parts)
        ids = [message_id for _, message_id in answers]
        assert len(set(ids)) == len(parts) == 3
        assert (await phone.wait_text(0)).text == LONG
        await esme.until(lambda: len(esme.receipts) == 3)
        assert [one[1] for one in esme.receipts] == ids
        responses = [await esme.request(Command.QUERY_SM, message_id=message_id) for message_id in ids]
        assert {response.body["message_state"] for response in responses} == {2}


async def test_receipts_only_for_the_segments_that_asked(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        parts = segment(LONG, 8).segments
        ids = []
        for number, part in enumerate(parts, 1):
            asked = int(number == len(parts))
            message = sm(part.header + part.content, PHONE, esm_class=UDHI, registered_delivery=asked)
            ids.append((await esme.submit(message))[1])
        await one.until(lambda: one.access.counters["delivered"] >= 1)
        assert [one[1] for one in esme.receipts] == ids[-1:]


async def test_sar_and_payload(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        for number, text in ((2, "world"), (1, "Hello ")):
            place = ((0x020C, b"\0\7"), (0x020E, b"\2"), (0x020F, bytes((number,))))
            assert (await esme.submit(sm(text, PHONE, tlvs=place)))[0] == 0
        assert (await phone.wait_text(0)).text == "Hello world"
        assert (await esme.submit(sm("", PHONE, tlvs=((0x0424, LONG.encode()),))))[0] == 0
        assert (await phone.wait_text(1)).text == LONG


async def test_data_sm(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        body = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": PHONE[1:], "registered_delivery": 1}
        esme.write(encode(Pdu(Command.DATA_SM, 0, 77, body, ((0x0424, b"by data"),))))
        assert (await phone.wait_text(0)).text == "by data"
        await esme.until(lambda: esme.receipts)
        (response,) = [one for one in esme.pdus if one.command == 0x80000103]
        assert (response.sequence, response.status) == (77, 0)
        assert esme.receipts[0][1] == response.body["message_id"]


async def test_submit_multi_tells_who_will_not_get_it(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme() as esme:
        first, second = one.smsc.handset(PHONE), one.smsc.handset("+12025550156")
        everybody = ((1, 1, PHONE[1:]), (1, 1, "12025550156"), (0, 0, "list:all"), (1, 1, "1"))
        response = await esme.request(
            Command.SUBMIT_MULTI, dest_addresses=everybody, short_message=b"to all", registered_delivery=1
        )
        assert response.status == 0
        assert response.body["unsuccess_smes"] == ((0, 0, "all", 0x34), (1, 1, "1", RINVDSTADR))
        await first.wait_text(0)
        await second.wait_text(0)
        await esme.until(lambda: len(esme.receipts) == 2)
        assert {receipt[1] for receipt in esme.receipts} == {response.body["message_id"]}
        assert {taken.source for taken in esme.taken} == {PHONE[1:], "12025550156"}
        state = await esme.request(Command.QUERY_SM, message_id=response.body["message_id"])
        assert state.body["message_state"] == 2


async def test_submit_multi_to_nobody(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme:
        response = await esme.request(
            Command.SUBMIT_MULTI, dest_addresses=((0, 0, "list:all"),), short_message=b"to all"
        )
        assert response.status == RINVDSTADR
        assert (await esme.request(Command.SUBMIT_MULTI, short_message=b"to none")).status == 0x33


async def test_there_are_no_cells_to_broadcast_to(tmp_path):
    async with house(tmp_path) as one, one.esme(version=0x50) as esme:
        assert (await esme.request(Command.BROADCAST_SM)).status == 0x10D
        assert (await esme.request(Command.QUERY_BROADCAST_SM)).status == 0x10E
        assert (await esme.request(Command.CANCEL_BROADCAST_SM)).status == 0x10F


async def test_another_accounts_message_is_not_shown(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.esme("bank") as other:
        _, message_id = await esme.submit(sm("for later", ALICE_NUMBER))
        assert (await other.request(Command.QUERY_SM, message_id=message_id)).status == 0x67


# -- with CPM devices


async def test_between_a_device_and_an_application(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.device() as alice:
        sent = await alice.message(f"tel:{SHOP}", "Where is my parcel?")
        assert sent.status == 202
        await esme.until(lambda: esme.texts)
        (text,) = esme.texts
        assert (text.source, text.message) == ("alice", b"Where is my parcel?")
        await one.until(lambda: [imdn.status for imdn in alice.imdns] == ["delivered"])
        status, message_id = await esme.submit(
            sm("On its way", "alice", SHOP, destination_ton=5, registered_delivery=9)
        )
        assert status == 0
        await one.until(lambda: alice.inbox)
        assert alice.inbox[0].text == "On its way"
        await esme.until(lambda: esme.receipts)
        assert await alice.displayed(alice.inbox[0]) in (200, 202)
        await esme.until(lambda: len(esme.receipts) == 2)
        assert esme.receipts == [(0x04, message_id, "DELIVERED"), (0x10, message_id, "DELIVERED")]


async def test_from_the_senders_number_where_they_wrote_from_it(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.device() as alice:
        await alice.message(f"tel:{SHOP}", LONG)
        await esme.until(lambda: len(esme.texts) == 3)
        assert {text.esm_class for text in esme.texts} == {UDHI}
        status, _ = await esme.submit(sm("by uri", "alice@cpm.test"))
        assert status == 0
        await one.until(lambda: alice.inbox)


async def test_what_came_while_nobody_was_bound_waits(tmp_path):
    async with house(tmp_path) as one, one.device() as alice:
        assert (await alice.message(f"tel:{SHOP}", "anybody?")).status == 202
        async with one.esme() as esme:
            await esme.until(lambda: esme.texts)
            assert esme.texts[0].message == b"anybody?"


async def test_an_application_with_a_passing_problem_gets_it_again(tmp_path):
    async with house(tmp_path) as one, one.device() as alice, one.esme() as esme:
        esme.verdict = RX_T_APPN
        await alice.message(f"tel:{SHOP}", "again?")
        await esme.until(lambda: esme.taken)
        esme.verdict = 0
        await esme.until(lambda: len(esme.taken) == 2)
        await one.until(lambda: alice.imdns)


async def test_a_throttled_deliver_sm_is_slowed_down_and_repeated(tmp_path):
    async with house(tmp_path) as one, one.device() as alice, one.esme() as esme:
        esme.verdict = RTHROTTLED
        await alice.message(f"tel:{SHOP}", "slowly")
        await esme.until(lambda: esme.taken)
        esme.verdict = 0
        await esme.until(lambda: len(esme.taken) == 2)
        await one.until(lambda: alice.imdns)
        assert one.access.counters["failed"] == 0


# -- transmitter and receiver


async def test_receipts_come_over_the_receiver(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme(command=Command.BIND_TRANSMITTER) as transmitter:
        _, message_id = await transmitter.submit(sm("Hello", PHONE, registered_delivery=1))
        await one.smsc.happenings.until(lambda: one.smsc.taken == 1)
        async with one.esme(command=Command.BIND_RECEIVER) as receiver:
            await receiver.until(lambda: receiver.receipts)
            assert receiver.receipts == [(0x04, message_id, "DELIVERED")]
            assert transmitter.taken == []


@pytest.mark.parametrize("version", [0x00, 0x33])
async def test_to_3_3_no_optional_parameters_and_short_ids(tmp_path, version):
    async with house_with_smsc(tmp_path) as one, one.esme(version=version) as esme:
        _, first = await esme.submit(sm("one", PHONE, registered_delivery=1))
        _, second = await esme.submit(sm("two", PHONE, registered_delivery=1))
        assert (len(first), len(second), first != second) == (8, 8, True)
        await esme.until(lambda: len(esme.receipts) == 2)
        assert [one[1] for one in esme.receipts] == [first, second]
        assert not any(received.tlvs for received in esme.pdus)
        assert (await esme.request(Command.QUERY_SM, message_id=first)).body["message_state"] == 2


# -- who may do what


async def test_who_may_bind(tmp_path):
    listed = {"only_listed": True, "accounts": {"shop": {"max_binds": 1}}}
    async with house(tmp_path, **listed) as one:
        for user, password, status in (("shop", "wrong", 0x0E), ("nobody", "x", 0x0E), ("bank", "sesame", 0x0D)):
            async with one.esme(user, password) as esme:
                assert esme.refused == status
        async with one.esme() as first, one.esme() as second:
            assert (first.refused, second.refused) == (0, 0x05)
        trail = one.app.store.trail
        await one.until(lambda: any("SMPP bind" in entry.what for entry in trail("sip:bank@cpm.test")))


async def test_only_from_ones_own_addresses(tmp_path):
    async with house(tmp_path, accounts={"shop": {"senders": [SHOP]}}) as one, one.esme() as esme:
        assert (await esme.submit(sm("mine", ALICE_NUMBER, SHOP)))[0] == 0
        assert (await esme.submit(sm("not allowed", ALICE_NUMBER, NUMBER)))[0] == RINVSRCADR
        assert (await esme.submit(sm("another's", PHONE, ALICE_NUMBER)))[0] == RINVSRCADR


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"schedule": "nonsense"}, 0x61),
        ({"schedule": "000000020000000R", "validity": "000000010000000R"}, 0x61),
        ({"validity": "nonsense"}, 0x62),
        ({"validity": "200101000000000+"}, 0x62),
        ({"esm_class": 0x04}, 0x43),
        ({"data_coding": 4}, 0x65),
        ({"tlvs": ((0x020B, b"\x0b\x84"),)}, 0x65),
        ({"message": b""}, 0x01),
        ({"destination": ""}, RINVDSTADR),
        ({"destination": "nobody here", "destination_ton": 5}, RINVDSTADR),
        ({"destination": "112", "destination_ton": 0}, 0x66),
    ],
)
async def test_what_cannot_be_is_refused(tmp_path, more, status):
    async with house(tmp_path) as one, one.esme() as esme:
        assert (await esme.submit(sm("Hello", ALICE_NUMBER)._replace(**more)))[0] == status


async def test_an_account_that_is_barred_or_removed_is_unbound(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme, one.esme("bank") as bank:
        one.app.directory.set_barred("shop", True)
        await esme.until(lambda: esme.closed)
        one.app.directory.remove_user("bank")
        await bank.until(lambda: bank.closed)


async def test_more_than_the_rate_is_throttled(tmp_path):
    async with house(tmp_path, terms={"rate": 1.0, "burst": 3}) as one, one.esme() as esme:
        answers = await asyncio.gather(*[esme.start(sm(f"{n}", ALICE_NUMBER)) for n in range(10)])
        assert [status for status, _ in answers] == [0] * 3 + [RTHROTTLED] * 7


async def test_more_than_may_be_pending_is_refused(tmp_path):
    async with house(tmp_path, terms={"pending": 2}) as one, one.esme() as esme:
        answers = await asyncio.gather(*[esme.start(sm(f"{n}", ALICE_NUMBER)) for n in range(5)])
        assert sorted(status for status, _ in answers) == [0, 0, RMSGQFUL, RMSGQFUL, RMSGQFUL]
        assert (await esme.submit(sm("again", ALICE_NUMBER)))[0] == 0


async def test_the_senders_queue_being_full_is_told(tmp_path):
    async with house(tmp_path) as one, one.esme() as esme:
        one.app.messaging.set_policy(_at_most(one.app.messaging.policy, 2))
        answers = [await esme.submit(sm(f"{n}", ALICE_NUMBER)) for n in range(3)]
        assert [status for status, _ in answers] == [0, 0, RMSGQFUL]


async def test_a_last_segment_that_was_put_off_completes_the_message_later(tmp_path):
    parts = segment(LONG, 9).segments
    submits = [sm(part.header + part.content, ALICE_NUMBER, esm_class=UDHI) for part in parts]
    async with house(tmp_path) as one, one.esme() as esme:
        policy = one.app.messaging.policy
        one.app.messaging.set_policy(_at_most(policy, 0))
        answers = [await esme.submit(submit) for submit in submits]
        assert [status for status, _ in answers] == [0, 0, RMSGQFUL]
        one.app.messaging.set_policy(policy)
        assert (await esme.submit(submits[2]))[0] == 0
        async with one.device() as alice:
            await one.until(lambda: alice.inbox)
            assert [heard.text for heard in alice.inbox] == [LONG]


def _at_most(policy, count):
    from dataclasses import replace

    return replace(policy, limits=replace(policy.limits, deferred_per_subscriber=count))


# -- restart


async def test_a_restart_keeps_what_was_accepted(tmp_path):
    parts = segment(LONG, 9).segments
    submits = [sm(part.header + part.content, ALICE_NUMBER, esm_class=UDHI, registered_delivery=1) for part in parts]
    async with house(tmp_path) as one, one.esme() as esme:
        status, whole = await esme.submit(sm("kept", ALICE_NUMBER, registered_delivery=1))
        begun = [await esme.submit(submit) for submit in submits[:2]]
        assert [status, *[one for one, _ in begun]] == [0, 0, 0]
    async with house(tmp_path) as one, one.esme() as esme:
        begun.append(await esme.submit(submits[2]))
        async with one.device() as alice:
            await one.until(lambda: len(alice.inbox) == 2)
            assert [heard.text for heard in alice.inbox] == ["kept", LONG]
            await esme.until(lambda: len(esme.receipts) == 4)
        assert [one[1] for one in esme.receipts] == [whole, *[message_id for _, message_id in begun]]


async def test_stopping_unbinds_in_good_order(tmp_path):
    esme = Esme()
    async with house(tmp_path) as one:
        await esme.connect(one.address, Bind(system_id="shop", password="sesame"))
    await esme.until(lambda: esme.closed)
    assert any(received.command == Command.UNBIND for received in esme.pdus)


async def test_over_tls(tmp_path):
    import ssl

    from opencpm.cli.certificate import self_signed

    for name, data in zip(("c.pem", "k.pem"), self_signed("localhost"), strict=True):
        (tmp_path / name).write_bytes(data)
    secure = {"listeners": [{"port": 0}, {"port": 0, "tls": True}], "tls_certificate": "c.pem", "tls_key": "k.pem"}
    async with house(tmp_path, **secure) as one:
        context = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
        context.check_hostname = False
        async with bound(one.app.endpoints["smpp"]["smpps"], "shop", "sesame", tls=context) as esme:
            assert (await esme.submit(sm("Hello", ALICE_NUMBER)))[0] == 0


async def test_alice_is_where_she_was(tmp_path):
    """Users without an application are not touched by there being applications."""
    async with house(tmp_path) as one, one.device() as alice:
        assert (await alice.message(ALICE, "note to self")).status == 202
        await one.until(lambda: alice.inbox)


# -- an MMS centre as ESME

PDU = bytes.fromhex(NOTIFICATION)


def pushed(pdu, **fields):
    parts = segments_of(pdu, 0x2A)
    return [sm(h + c, PHONE, esm_class=UDHI, data_coding=4, **fields) for h, c in parts]


@pytest.mark.parametrize("pdu", [PDU, PDU * 4], ids=["short", "long"])
async def test_an_mms_centre_tells_a_phone_of_an_mms(tmp_path, pdu):
    async with house_with_smsc(tmp_path, terms={"pushes": True}) as one, one.esme() as esme:
        phone = one.smsc.handset(PHONE)
        for each in pushed(pdu):
            status, _ = await esme.submit(each)
            assert status == 0
        assert (await phone.wait_push(0)).content == pdu
        assert phone.texts == []
        phone.push(PDU * 3, to=SHOP)
        await esme.until(lambda: len(esme.texts) == 2)
        assert {(text.data_coding, part_of(text).port) for text in esme.texts} == {(4, 2948)}
        assert from_segments([part_of(text).content for text in esme.texts]).content == PDU * 3


async def test_nobody_else_does(tmp_path):
    async with house_with_smsc(tmp_path) as one, one.esme(version=0x50) as esme:
        for each in pushed(PDU):
            assert (await esme.submit(each))[0] == 0x104


async def test_a_push_of_something_else_is_refused(tmp_path):
    async with house_with_smsc(tmp_path, terms={"pushes": True}) as one, one.esme(version=0x50) as esme:
        header = bytes.fromhex("0605040B8423F0")
        wrong = sm(header + b"\x01\x06\x01\xaenonsense", PHONE, esm_class=UDHI, data_coding=4)
        assert (await esme.submit(wrong))[0] == 0x104


@pytest.mark.parametrize(("version", "told"), [(0x34, []), (0x50, [0])])
async def test_an_esme_of_5_0_is_told_how_crowded_it_is_here(tmp_path, version, told):
    async with house_with_smsc(tmp_path) as one, one.esme(version=version) as esme:
        assert (await esme.submit(sm("Hello", PHONE)))[0] == 0
        answered = next(event for event in esme.events if isinstance(event, Answered))
        assert [value[0] for tag, value in answered.tlvs if tag == Tag.CONGESTION_STATE] == told
