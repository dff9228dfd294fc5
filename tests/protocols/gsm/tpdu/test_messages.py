from datetime import UTC, datetime, timedelta, timezone

import pytest

from opencpm.protocols.gsm import alphabet, segmentation, ucs2, udh
from opencpm.protocols.gsm.tpdu.address import ALPHANUMERIC, UNKNOWN, TpAddress
from opencpm.protocols.gsm.tpdu.content import UserData, text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, StatusReport, Submit, read_from_centre, read_from_terminal

BOB = TpAddress("447700900123")
WHEN = datetime(2026, 11, 23, 7, 30, 15, tzinfo=UTC)
SMILE = "Hi \U0001f600"


def septets(text):
    return UserData(alphabet.encode(text))


SUBMITS = {
    "312A0C914477000910320000A70AE8329BFD4697D9EC37": Submit(
        reference=0x2A, destination=BOB, validity=86400.0, report=True, data=septets("hellohello")
    ),
    "412C0C9144770009103200000A050003A70202CA6E32": Submit(
        reference=0x2C,
        destination=BOB,
        data=UserData(alphabet.encode("end"), udh.build(udh.Concat(0xA7, 2, 2))),
    ),
    "112D0B817007900021F30008FF0A004800690020D83DDE00": Submit(
        reference=0x2D,
        destination=TpAddress("07700900123", UNKNOWN),
        dcs=8,
        validity=63 * 7 * 86400.0,
        data=UserData(ucs2.encode(SMILE)),
    ),
    "31070c9144770009103200f1a712c6349e5e979741f3bab89da68336e518": Submit(
        reference=7,
        destination=BOB,
        dcs=0xF1,
        validity=86400.0,
        report=True,
        data=septets("Fixture submit €1"),
    ),
}
DELIVERS = {
    "040C9144770009103200006211327003514005E8329BFD06": Deliver(
        originator=BOB, stamp=WHEN.replace(tzinfo=timezone(timedelta(hours=1))), data=septets("hello")
    ),
    "000ED0436813442DCFE900086211327003510A0A004800690020D83DDE00": Deliver(
        originator=TpAddress("CPM Test", ALPHANUMERIC, 0),
        stamp=WHEN.replace(tzinfo=timezone(timedelta(hours=-5))),
        dcs=8,
        data=UserData(ucs2.encode(SMILE)),
        more=True,
    ),
    "000c8144770009202200f16211327003510013c6349e5e979741e4323b6d2fcb416f7719": Deliver(
        originator=TpAddress("447700900222", UNKNOWN),
        stamp=WHEN,
        dcs=0xF1,
        data=septets("Fixture deliver one"),
        more=True,
    ),
}


@pytest.mark.parametrize("octets", SUBMITS)
def test_submits_read_and_written(octets):
    assert read_from_terminal(bytes.fromhex(octets)) == SUBMITS[octets]
    assert SUBMITS[octets].encode().hex() == octets.lower()


@pytest.mark.parametrize("octets", DELIVERS)
def test_delivers_read_and_written(octets):
    assert read_from_centre(bytes.fromhex(octets)) == DELIVERS[octets]
    assert DELIVERS[octets].encode().hex() == octets.lower()


def test_a_status_report():
    octets = bytes.fromhex("062A0C91447700091032621132700351006211327003240000")
    report = StatusReport(
        reference=0x2A, recipient=BOB, stamp=WHEN, discharged=WHEN + timedelta(seconds=27), status=0, more=False
    )
    assert read_from_centre(octets) == report
    assert report.encode() == octets


def test_the_recorded_ucs2_delivery():
    octets = "040c81447700092022000862113270036100300046006900780074007500720065002000640065006c0069007600650072"
    message = read_from_centre(bytes.fromhex(octets + "002000740077006f002003a900a900e900a9"))
    assert text_of(message.dcs, [message.data.content]) == "Fixture deliver two Ω©é©"


@pytest.mark.parametrize("text", ["short", "x" * 160, "ends with {", "€" * 80, "ß" * 153, "Ω" * 70, "漢字" * 50])
def test_every_segment_of_a_text_comes_back(text):
    cut = segmentation.segment(text, 0x1234)
    parts = []
    for number, segment in enumerate(cut.segments):
        submit = Submit(
            reference=number,
            destination=BOB,
            dcs=cut.coding.value,
            data=UserData(segment.content, segment.header),
        )
        again = read_from_terminal(submit.encode())
        assert again == submit
        parts.append(again.data.content)
    assert text_of(cut.coding.value, parts) == text


def test_absolute_and_enhanced_validity_are_read():
    base = "0C914477000910320000"
    absolute = read_from_terminal(bytes.fromhex("1901" + base + "62113270035100" + "00"))
    assert (absolute.validity, absolute.expires) == (None, WHEN)
    for period, seconds in (("01A70000000000", 86400.0), ("021E0000000000", 30.0), ("03100000000000", 3600.0)):
        assert read_from_terminal(bytes.fromhex("0901" + base + period + "00")).validity == seconds
    assert read_from_terminal(bytes.fromhex("0901" + base + "00000000000000" + "00")).validity is None
    with pytest.raises(TpduError) as error:
        read_from_terminal(bytes.fromhex("0901" + base + "07000000000000" + "00"))
    assert error.value.cause == 0xC6


def test_a_stamp_that_is_no_time_is_no_reason_to_refuse():
    message = read_from_centre(bytes.fromhex("040C914477000910320000FFFFFFFFFFFFFF05E8329BFD06"))
    assert message.stamp is None
    assert text_of(message.dcs, [message.data.content]) == "hello"


@pytest.mark.parametrize(
    ("octets", "cause"),
    [
        ("", 0xFF),
        ("0701", 0xB0),
        ("02", 0xA1),
        ("01", 0xFF),
        ("0101FF91", 0xFF),
        ("01010C91447700091032000005E832", 0xFF),
        ("01010C914477000910320020050000000000", 0x9F),
        ("01010C914477000910320000FF", 0xFF),
    ],
)
def test_what_is_no_submit_names_its_cause(octets, cause):
    with pytest.raises(TpduError) as error:
        read_from_terminal(bytes.fromhex(octets))
    assert error.value.cause == cause


def test_what_does_not_fit_is_not_written():
    with pytest.raises(TpduError):
        Submit(reference=0, destination=BOB, data=UserData(bytes(161))).encode()
    with pytest.raises(TpduError):
        Submit(reference=0, destination=BOB, dcs=8, data=UserData(bytes(141))).encode()
    with pytest.raises(TpduError):
        Submit(reference=0, destination=TpAddress("12x"), data=UserData()).encode()
    with pytest.raises(TpduError):
        Deliver(originator=BOB, stamp=None, data=UserData()).encode()
