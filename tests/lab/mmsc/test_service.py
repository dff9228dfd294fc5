"""The stand-in centre: as strict as real ones, and with their habits."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.lab.mmsc import LabMmsc, http
from opencpm.lab.mmsc.phone import composed, shown
from opencpm.lab.mmsc.strict import complaint
from opencpm.protocols import mm7
from opencpm.protocols.mm7.operations import CancelReq, Response, SubmitReq
from opencpm.protocols.mm7.values import NUMBER, SHORT_CODE, Address, Recipients, SenderIdentification
from tests.interworking.mms.pictures import jpeg

FIXTURES = Path(__file__).parents[2] / "fixtures/mms"
BOB = "+12025550101"
SOAP = ("SOAPAction", '""')


def recorded(name: str) -> tuple[dict[str, str], bytes]:
    raw = (FIXTURES / name).read_bytes().split(b">>>\n", 1)[1].split(b"\n<<<", 1)[0]
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value for name, value in lines.items()}
    return headers, body[: int(headers["content-length"])]


def request(**fields: object) -> mm7.Message:
    sender = SenderIdentification("vas1", "svc", Address(SHORT_CODE, "100"))
    asked = SubmitReq(sender=sender, recipients=Recipients(to=(Address(NUMBER, BOB),)), delivery_report=True, **fields)  # type: ignore[arg-type]
    return mm7.Message("t1", asked, content=composed("Hi", [("a.jpg", "image/jpeg", jpeg())]))


async def submit(mmsc: LabMmsc, one: mm7.Message, *more: tuple[str, str]) -> Response:
    content_type, body = mm7.encode(one, "bb")
    response = await http.post(mmsc.url, [("Content-Type", content_type), SOAP, *more], body)
    said = mm7.decode(response.content_type, response.body).operation
    assert isinstance(said, Response)
    return said


@pytest.mark.parametrize("name", ["mm7-submit-rel6.http", "mm7-submit-rel5.http"])
async def test_requests_that_a_real_centre_took_are_taken(name: str) -> None:
    headers, body = recorded(name)
    assert complaint(headers, body) == ""
    async with LabMmsc(vasps={"vuser": "vpass"}) as mmsc:
        phone = mmsc.phone("+447700900556")
        other = mmsc.phone("+447700900557")
        wanted = [(key.title(), headers[key]) for key in ("content-type", "soapaction", "authorization")]
        response = await http.post(mmsc.url, wanted, body)
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert said.operation.status.code == 1000
        assert said.release.version == "5.3.0"
        await mmsc.happenings.until(lambda: bool(phone.mms or other.mms))
        (mm,) = phone.mms or other.mms
        assert "Grüße aus CPM 😀" in mm.text


async def test_one_that_a_real_centre_refused_is_refused_alike() -> None:
    headers, body = recorded("mm7-submit-malformed.http")
    async with LabMmsc() as mmsc:
        response = await http.post(mmsc.url, [("Content-Type", headers["content-type"]), SOAP], body)
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert (response.status, said.transaction_id, said.operation.status.code) == (200, "0000", 2007)
    headers, body = recorded("mm7-submit-badauth.http")
    async with LabMmsc(vasps={"vuser": "vpass"}) as mmsc:
        wanted = [(key.title(), headers[key]) for key in ("content-type", "soapaction", "authorization")]
        assert (await http.post(mmsc.url, wanted, body)).status == 401


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<mm7:MM7Version>6.8.0</mm7:MM7Version>", ""),
        ("<mm7:MM7Version>6.8.0", "<mm7:MM7Version>5.3.0"),
        ("REL-6-MM7-1-4", "REL-5-MM7-1-0"),
        ("SubmitReq><mm7:MM7Version>6.8.0</mm7:MM7Version>", "SubmitReq><mm7:Priority>Low</mm7:Priority>"),
        ("<mm7:DeliveryReport>", "<mm7:Nonsense>1</mm7:Nonsense><mm7:DeliveryReport>"),
        ("cid:mm", "cid:other"),
        (' env:mustUnderstand="1"', ""),
        ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
        ('type="text/xml"', 'type="text/plain"'),
    ],
)
def test_what_a_validating_centre_dislikes(before: str, after: str) -> None:
    content_type, body = mm7.encode(request(), "bb")
    headers = {"content-type": content_type, "soapaction": '""'}
    assert complaint(headers, body) == ""
    assert before.encode() in content_type.encode() + body
    changed = {**headers, "content-type": content_type.replace(before, after)}
    assert complaint(changed, body.replace(before.encode(), after.encode()))


async def test_a_phone_that_is_off_fetches_when_it_is_on_and_a_cancelled_message_never_comes() -> None:
    async with LabMmsc() as mmsc:
        bob = mmsc.phone(BOB)
        bob.on = False
        first = await submit(mmsc, request(subject="one"))
        second = await submit(mmsc, request(subject="two"))
        await mmsc.happenings.until(lambda: [one.what for one in mmsc.happenings.all].count("submitted") == 2)
        cancel = mm7.Message("t2", CancelReq(message_id=first.message_id))
        assert (await submit(mmsc, cancel)).status.code == 1000
        assert (await submit(mmsc, cancel)).status.code == 2005
        bob.on = True
        assert [mm.subject for mm in bob.mms] == ["two"]
        assert bob.mms[0].message_id == second.message_id


def test_a_phone_says_what_its_class_cannot_show() -> None:
    large = composed("Look", [("a.jpg", "image/jpeg", jpeg(1000, 800)), ("a.mp3", "audio/mpeg", b"ID3")])
    picture, sound, text = shown(large, "image-rich")
    assert "too large" in picture.trouble
    assert "audio/mpeg" in sound.trouble
    assert text.text == "Look"
    assert (
        shown(composed("", [("a.jpg", "image/jpeg", b"\xff\xd8\xff")]), "image-rich")[0].trouble == "a damaged picture"
    )


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback"):
        LabMmsc("0.0.0.0")


async def test_everything_works_again_after_faults() -> None:
    async with LabMmsc() as mmsc:
        mmsc.faults.statuses = [2001]
        mmsc.faults.refuse[BOB] = 4007
        assert (await submit(mmsc, request())).status.code == 2001
        assert (await submit(mmsc, request())).status.code == 4007
        mmsc.faults.clear()
        assert (await submit(mmsc, request())).status.code == 1000
        assert [line.decoded()["status"]["code"] for line in mmsc.log.of("SubmitRsp")] == [2001, 4007, 1000]
        assert "image/jpeg" in mmsc.log.of("SubmitReq")[0].decoded()["parts"][1]
