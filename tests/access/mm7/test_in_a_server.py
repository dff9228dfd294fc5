"""A VASP at the running server: submits, is told what became of it, and is written to."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from opencpm.lab.mmsc import LabMmsc
from opencpm.lab.mmsc.phone import composed
from opencpm.protocols import mm7
from opencpm.protocols.mime import Part
from opencpm.protocols.mm7.operations import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ReadReplyReq,
    ReplaceReq,
    Request,
    Response,
)
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import MAIL, NUMBER, SHORT_CODE, Recipients, SenderIdentification
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.protocols.mms.content import flatten
from opencpm.transport.http_client import Poster
from tests.interworking.mms.pictures import jpeg

from .house import ALICE_NUMBER, CODE, REL_5, House, eventually, house, read

PHONE = "+12025550101"
OWN = SenderIdentification("news", "sport")


async def test_a_submission_reaches_the_device_and_its_reports_the_service(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        said = await here.vasp.submit(subject="Sport", text="Goal! ⚽")
        assert (said.operation, said.status.code) == ("SubmitRsp", 1000)
        shown = await alice.journal.wait("message", lambda e: e.what == "Goal! ⚽")
        assert shown.facts["sender"] == "sip:news@cpm.test"
        assert shown.facts["media"] == f"image/jpeg, {len(jpeg())} octets"
        report = await here.vasp.wait(DeliveryReportReq)
        assert (report.message_id, report.mm_status) == (said.message_id, "Retrieved")
        assert (report.recipient.value, report.sender.value) == (ALICE_NUMBER, CODE)
        text = await here.vasp.submit(text="Only words", picture=False)
        await alice.journal.wait("message", lambda e: e.what == "Only words")
        await alice.displayed(alice.inbox[-1])
        read_report = await here.vasp.wait(ReadReplyReq)
        assert (read_report.message_id, read_report.mm_status) == (text.message_id, "Read")
        secret = base64.b64encode(b"opencpm:let me in").decode()
        assert set(here.vasp.authorization) == {f"Basic {secret}"}


async def test_a_message_to_the_service_is_brought_and_its_answer_is_in_the_conversation(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        sent = await alice.message(f"tel:{CODE}", "Who won?")
        brought = await here.vasp.wait(DeliverReq)
        assert (brought.sender.value, brought.recipients.to[0].value) == (ALICE_NUMBER, CODE)
        assert brought.relay_server_id == "opencpm"
        (content,) = [one.content for one in here.vasp.heard if isinstance(one.operation, DeliverReq)]
        assert content is not None
        assert flatten(content)[1].body == b"Who won?"
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == sent.message_id)
        said = await here.vasp.submit(text="We did", linked_id=brought.linked_id)
        assert said.status.code == 1000
        shown = await alice.journal.wait("message", lambda e: e.what == "We did")
        assert shown.facts["conversation"] == sent.conversation_id


async def test_through_us_to_a_phone_of_another_network_and_back(tmp_path: Path) -> None:
    async with LabMmsc(vasps={"us": "sesame"}) as mmsc:
        mms = {"type": "mm7", "url": mmsc.url, "username": "us", "password": "sesame", "listen": {"port": 0}}
        async with house(tmp_path, networks={"mms": mms}) as here:
            host, port = here.app.endpoints["mms"]["http"]
            mmsc.reach(f"http://{host}:{port}/mm7")
            bob = mmsc.phone(PHONE)
            said = await here.vasp.submit(PHONE, "Goal!")
            mm = await bob.wait_mm(0)
            assert (mm.text, mm.sender) == ("Goal!", CODE)
            report = await here.vasp.wait(DeliveryReportReq)
            assert (report.message_id, report.mm_status, report.recipient.value) == (
                said.message_id,
                "Retrieved",
                PHONE,
            )
            await bob.send("Nice", [("me.jpg", "image/jpeg", jpeg())], to=CODE)
            brought = await here.vasp.wait(DeliverReq)
            assert brought.sender.value == PHONE
            bob.rejects = True
            again = await here.vasp.submit(PHONE, "Another")
            failed = await here.vasp.wait(DeliveryReportReq, 2)
            assert (failed.message_id, failed.mm_status) == (again.message_id, "Rejected")


async def test_several_receivers_each_have_their_report(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        bob = Mm7Address(MAIL, "bob@cpm.test")
        shown = Mm7Address(NUMBER, "+12025559999", display_only=True)
        everybody = Recipients(to=(Mm7Address(NUMBER, ALICE_NUMBER), shown), cc=(bob,))
        said = await here.vasp.submit(recipients=everybody)
        assert said.status.code == 1000
        await alice.journal.wait("message", lambda e: e.what == "News")
        records = here.app.store.deliveries_of(here.app.store.find(said.message_id) or "")
        assert {str(one.recipient) for one in records} == {f"tel:{ALICE_NUMBER}", "sip:bob@cpm.test"}


# -- refusals


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"recipients": Recipients(to=(Mm7Address(NUMBER, "+999"),))}, 2003),
        ({"recipients": Recipients(to=(Mm7Address(NUMBER, "x", coding="encrypted"),))}, 2002),
        ({"sender": SenderIdentification("news", "", Mm7Address(NUMBER, ALICE_NUMBER))}, 2001),
        ({"sender": SenderIdentification("other", "", Mm7Address(SHORT_CODE, CODE))}, 4001),
        ({"linked_id": "no such message"}, 2006),
        ({"expiry": "2020-01-01T00:00:00Z"}, 2000),
        ({"expiry": "soon"}, 2007),
        ({"earliest_delivery": "tomorrow"}, 2007),
        ({"earliest_delivery": "P2D", "expiry": "P1D"}, 2000),
        ({"earliest_delivery": "P400D"}, 3001),
    ],
)
async def test_what_is_refused_is_refused_with_its_code(tmp_path: Path, fields: dict[str, object], code: int) -> None:
    async with house(tmp_path, terms={"vasp_id": "news"}) as here:
        said = await here.vasp.submit(**fields)
        assert (said.operation, said.status.code) == ("SubmitRsp", code)
        assert said.message_id == ""


async def test_what_may_be_said_is_taken(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.vasp.release = REL_5
        said = await here.vasp.submit(
            sender=SenderIdentification("any", "any"),
            expiry="P1D",
            earliest_delivery=format_time(0),
            priority="High",
            message_class="Informational",
        )
        assert said.status.code == 1000


async def test_a_repetition_is_stored_once_and_told_the_same_id(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        first = await here.vasp.submit(text="once", transaction="same")
        again = await here.vasp.submit(text="once", transaction="same")
        other = await here.vasp.submit(text="twice", transaction="same")
        assert first.message_id == again.message_id != other.message_id
        await alice.journal.wait("message", lambda e: e.what == "twice")
        assert len(alice.journal.find("message", lambda e: e.what == "once")) == 1


async def asked(here: House, request: Request, content: Part | None = None) -> tuple[str, int]:
    answer = (await here.vasp.ask(request, content)).operation
    assert isinstance(answer, Response)
    return answer.operation, answer.status.code


async def test_what_waits_is_taken_back_and_nobody_gets_it(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        said = await here.vasp.submit(text="Oops")
        assert await asked(here, CancelReq(sender=OWN, message_id=said.message_id)) == ("CancelRsp", 1000)
        assert await asked(here, CancelReq(sender=OWN, message_id=said.message_id)) == ("CancelRsp", 1000)
        replace = ReplaceReq(sender=OWN, message_id=said.message_id)
        assert await asked(here, replace) == ("ReplaceRsp", 3001)
        await here.vasp.submit(text="Goal!")
        async with here.device() as alice:
            await alice.journal.wait("message", lambda e: e.what == "Goal!")
            assert not alice.journal.find("message", lambda e: e.what == "Oops")
        await here.vasp.wait(DeliveryReportReq)
        reports = [one.operation for one in here.vasp.heard if isinstance(one.operation, DeliveryReportReq)]
        assert said.message_id not in [one.message_id for one in reports]  # the CancelRsp told


async def test_what_is_not_theirs_is_not_known(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert await asked(here, CancelReq(sender=OWN, message_id="nobody's")) == ("CancelRsp", 2005)
        assert await asked(here, ReplaceReq(sender=OWN, message_id="nobody's")) == ("ReplaceRsp", 2005)
        assert await asked(here, ExtendedCancelReq(sender=OWN, cancel_id="1")) == ("extendedCancelRsp", 4003)


async def test_what_was_delivered_is_not_taken_back(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device():
        said = await here.vasp.submit()
        await here.vasp.wait(DeliveryReportReq)
        answer = (await here.vasp.ask(CancelReq(sender=OWN, message_id=said.message_id))).operation
        assert isinstance(answer, Response)
        assert (answer.status.code, answer.status.details) == (
            3001,
            f"too late for tel:{ALICE_NUMBER}: it was delivered",
        )


async def test_another_content_and_another_time(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        said = await here.vasp.submit(text="At eight", earliest_delivery="PT1H")
        assert said.status.code == 1000
        await here.told(said.message_id, "deferred")
        content = composed("At nine", [("nine.jpg", "image/jpeg", jpeg())])
        replace = ReplaceReq(sender=OWN, message_id=said.message_id, read_reply=False)
        assert await asked(here, replace, content) == ("ReplaceRsp", 1000)
        assert not alice.inbox  # when it goes has not changed
        sooner = ReplaceReq(sender=OWN, message_id=said.message_id, earliest_delivery=format_time(0))
        assert await asked(here, sooner) == ("ReplaceRsp", 1000)
        await alice.journal.wait("message", lambda e: e.what == "At nine")
        assert not alice.journal.find("message", lambda e: e.what == "At eight")
        report = await here.vasp.wait(DeliveryReportReq)
        assert (report.message_id, report.mm_status) == (said.message_id, "Retrieved")
        later = ReplaceReq(sender=OWN, message_id=said.message_id, earliest_delivery="soon")
        assert await asked(here, later) == ("ReplaceRsp", 2007)


async def test_what_is_kept_goes_at_its_time(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        said = await here.vasp.submit(text="Good morning", earliest_delivery="PT1S")
        await alice.journal.wait("message", lambda e: e.what == "Good morning")
        await here.told(said.message_id, "delivered")
        steps = [one.step.value for one in here.trail(said.message_id)]
        assert steps.index("deferred") < steps.index("selected") < steps.index("delivered")


async def test_errors_are_spoken_in_the_release_of_who_asks(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.vasp.release = REL_5
        said = await here.vasp.ask(CancelReq(sender=OWN))
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == ("RSErrorRsp", 4004)
        assert said.release == REL_5
        said = await here.vasp.ask(DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == ("RSErrorRsp", 4003)
        broken = read(await here.vasp.post("text/xml", b"<broken"))
        assert isinstance(broken.operation, Response)
        assert (broken.transaction_id, broken.operation.status.code) == ("0000", 2007)


async def test_more_than_agreed_comes_later(tmp_path: Path) -> None:
    async with house(tmp_path, terms={"rate": 0.001, "burst": 1}) as here:
        assert (await here.vasp.submit()).status.code == 1000
        assert (await here.vasp.submit()).status.code == 4006


@pytest.mark.parametrize(("user", "password"), [("news", "wrong"), ("nobody", "x"), ("", "")])
async def test_strangers_are_refused_and_named(tmp_path: Path, user: str, password: str) -> None:
    async with house(tmp_path) as here:
        here.vasp.user, here.vasp.password = user, password
        response = await here.vasp.post("text/xml", b"<x/>")
        assert response.status == 401
        await eventually(lambda: list(here.app.store.trail(f"mm7:{user}")))


async def test_a_service_may_prove_itself_by_digest(tmp_path: Path) -> None:
    async with house(tmp_path, authentication="digest") as here:
        refused = await here.vasp.post("text/xml", b"<x/>")
        assert refused.status == 401
        poster = Poster(here.vasp.submit_url, username="news", password=here.vasp.password, scheme="digest")
        cancel = mm7.Message("t", CancelReq(sender=OWN, message_id="nobody's"))
        reply = await poster.post(*mm7.encode(cancel))
        await poster.close()
        said = mm7.decode(reply.content_type, reply.body).operation
        assert isinstance(said, Response)
        assert said.status.code == 2005


async def test_passwords_are_not_tried_without_end(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        right = here.vasp.password
        here.vasp.password = "guess"
        answers = [(await here.vasp.post("text/xml", b"<x/>")).status for _ in range(7)]
        assert answers == [401] * 5 + [429] * 2
        here.vasp.password = right
        assert (await here.vasp.post("text/xml", b"<x/>")).status == 429


async def test_a_user_who_is_not_listed_does_not_submit_where_only_those_listed_may(tmp_path: Path) -> None:
    async with house(tmp_path, only_listed=True) as here:
        here.vasp.user = "alice"
        assert (await here.vasp.post("text/xml", b"<x/>")).status == 401
        here.vasp.user = "news"
        assert (await here.vasp.post("text/xml", b"<x/>")).status == 200


# -- a service that misbehaves


async def test_a_service_that_is_away_gets_what_waited_when_it_is_back(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        await here.vasp.down()
        await alice.message(f"tel:{CODE}", "first")
        await eventually(lambda: not here.app.messaging.connectors["mm7"].describe()["accounts"][0]["takes messages"])
        sent = await alice.message(f"tel:{CODE}", "second")
        assert sent.status == 202
        await here.vasp.up()
        await here.vasp.wait(DeliverReq, 2)
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == sent.message_id)


@pytest.mark.parametrize("codes", [[3000], [4006, 4006], [0], [9503]])
async def test_passing_trouble_of_a_service_is_tried_again(tmp_path: Path, codes: list[int]) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.vasp.codes = list(codes)
        sent = await alice.message(f"tel:{CODE}", "Hello")
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == sent.message_id)
        transactions = {one.transaction_id for one in here.vasp.heard}
        assert len(here.vasp.heard) == len(codes) + 1
        assert len(transactions) == 1


async def test_what_a_service_refuses_failed(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.vasp.codes = [2004]
        sent = await alice.message(f"tel:{CODE}", "Hello")
        await alice.journal.wait("imdn", lambda e: e.what == "failed" and e.facts["message_id"] == sent.message_id)
        assert "2004" in (await here.told(sent.message_id, "failed")).what


async def test_a_service_of_another_release_is_spoken_to_in_it(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.vasp.codes = [4002]
        await alice.message(f"tel:{CODE}", "Hello")
        await here.vasp.wait(DeliverReq, 2)
        assert [one.release.version for one in here.vasp.heard] == ["6.8.0", "5.3.0"]


async def test_a_service_that_takes_nothing_can_still_submit(tmp_path: Path) -> None:
    async with house(tmp_path, takes=False) as here, here.device() as alice:
        said = await here.vasp.submit()
        await alice.journal.wait("message", lambda e: e.what == "News")
        assert said.status.code == 1000
        assert here.vasp.heard == []


async def test_a_report_waits_for_a_service_through_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        await here.vasp.down()
        await alice.message(f"tel:{CODE}", "Hello")
        await here.vasp.submit()
        await alice.journal.wait("message", lambda e: e.what == "News")
    async with house(tmp_path) as here:
        report = await here.vasp.wait(DeliveryReportReq)
        assert report.mm_status == "Retrieved"
        await here.vasp.wait(DeliverReq)


# -- hostile


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]><a>&a;</a>'


async def test_poison_costs_only_itself(tmp_path: Path) -> None:
    async with house(tmp_path, max_request=8192) as here:
        answers = await asyncio.gather(
            here.vasp.post("text/xml", BOMB),
            here.vasp.post("text/xml", b"<a>" * 2000),
            here.vasp.post('multipart/related; boundary="b"', b"--b\r\n" * 1000),
            here.vasp.post("text/xml", bytes(9000)),
            here.vasp.post("application/json", b"{}"),
        )
        assert [one.status for one in answers] == [200, 200, 200, 413, 200]
        codes = [read(one).operation for one in answers if one.status == 200]
        assert {one.status.code for one in codes if isinstance(one, Response)} == {2007}
        assert (await here.vasp.submit()).status.code == 1000
        assert isinstance(read(await here.vasp.post(*mm7.encode(mm7.Message("t", CancelReq())))).operation, Response)
