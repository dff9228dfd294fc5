import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.domain.report import Status
from opencpm.interworking.sms import adapt
from opencpm.interworking.sms.outgoing import Composer, reference_of
from opencpm.interworking.sms.settings import read
from opencpm.protocols.gsm.packing import pack
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.mm1.push import encode_push, from_segments, from_user_data
from opencpm.protocols.smpp.parts import part_of
from tests.protocols.mm1.vectors import NOTIFICATION

from .support import BOB, delivery, message

PDU = bytes.fromhex(NOTIFICATION)
SIP = Address("sip", "alice@cpm.test")


def composer(**settings):
    return Composer(read({"type": "sms", **settings}))


def test_a_short_message():
    now = time.time()
    (sm,) = composer().compose(delivery("Hello €", expires_at=now + 3600), now)
    assert (sm.source, sm.source_ton, sm.source_npi) == ("12025550100", 1, 1)
    assert (sm.destination, sm.destination_ton, sm.destination_npi) == ("12025550101", 1, 1)
    assert (sm.message, sm.data_coding, sm.esm_class) == (b"Hello \x1be", 0, 0)
    assert (sm.registered_delivery, sm.validity) == (1, "000000010000000R")


def test_long_and_unicode():
    parts = composer().compose(delivery("ж" * 100), time.time())
    assert [p.data_coding for p in parts] == [8, 8]
    assert {p.esm_class for p in parts} == {0x40}
    assert parts[0].message[3] == parts[1].message[3] == reference_of("d1") & 0xFF
    wide = composer(reference_bits=16).compose(delivery("x" * 200), time.time())
    assert wide[0].message[:3] == b"\x06\x08\x04"


def test_validity_is_bounded():
    now = time.time()
    (short,) = composer().compose(delivery(expires_at=now + 1), now)
    assert short.validity == "000000000500000R"
    (long,) = composer(max_validity=86400).compose(delivery(expires_at=now + 1e6), now)
    assert long.validity == "000001000000000R"


@pytest.mark.parametrize(
    ("settings", "source", "expected"),
    [
        ({"source": "60606"}, None, ("60606", 3, 0)),
        ({"source": "CPM"}, None, ("CPM", 5, 0)),
        ({"source": "60606", "source_ton": 0, "source_npi": 1}, None, ("60606", 0, 1)),
        ({"fallback_source": "60606"}, SIP, ("60606", 3, 0)),
        ({"fallback_source": "60606"}, None, ("12025550100", 1, 1)),
        ({"fallback_source": "60606"}, Address("alpha", "CPM Test"), ("CPM Test", 5, 0)),
    ],
)
def test_sender(settings, source, expected):
    given = delivery() if source is None else delivery(source=source)
    (sm,) = composer(**settings).compose(given, time.time())
    assert (sm.source, sm.source_ton, sm.source_npi) == expected


def test_notices_do_not_go():
    notice = Notice(message_id="1", original_sent_at=0.0, recipient=BOB, status=Status.DELIVERED)
    with pytest.raises(SendError):
        composer().compose(delivery(notice=notice), time.time())


LONG = "Straße an der Ecke, um 7 " * 10


@pytest.mark.parametrize(
    ("settings", "text", "coding", "content"),
    [
        ({"default_alphabet": "latin1"}, "Größe", 0, "Größe".encode("latin-1")),
        ({"default_alphabet": "latin1"}, "5 €", 8, "5 €".encode("utf-16-be")),
        ({"default_alphabet": "ascii"}, "plain", 0, b"plain"),
        ({"default_alphabet": "ascii"}, "Größe", 8, "Größe".encode("utf-16-be")),
        ({"default_alphabet": "gsm7-packed"}, "hello", 0, bytes.fromhex("E8329BFD06")),
        ({"ucs2_little_endian": True}, "ж😀", 8, "ж😀".encode("utf-16-le")),
        ({"ucs2_little_endian": True}, "hello", 0, b"hello"),
    ],
)
def test_the_habits_of_a_peer(settings, text, coding, content):
    (sm,) = composer(**settings).compose(delivery(text), time.time())
    assert (sm.data_coding, sm.message) == (coding, content)


def test_a_peer_with_habits_and_a_long_text():
    parts = composer(default_alphabet="latin1").compose(delivery(LONG), time.time())
    assert b"".join(part.message[6:] for part in parts).decode("latin-1") == LONG
    packed = composer(default_alphabet="gsm7-packed").compose(delivery("abc" * 100), time.time())
    assert [len(part.message) for part in packed] == [140, 6 + 129]
    assert packed[0].message[6:8] == pack(b"abc", 1)[:2]


def test_segments_by_parameters():
    first, second = composer(long_messages="sar").compose(delivery("x" * 200), time.time())
    assert (first.esm_class, len(first.message), len(second.message)) == (0, 153, 47)
    assert [value.hex() for _, value in second.tlvs] == [f"{reference_of('d1'):04x}", "02", "02"]
    assert [part_of(sm).concat[:3] for sm in (first, second)] == [
        (reference_of("d1"), 2, 1),
        (reference_of("d1"), 2, 2),
    ]
    (short,) = composer(long_messages="sar").compose(delivery("x"), time.time())
    assert short.tlvs == ()


@pytest.mark.parametrize(
    ("text", "octets"), [("x€" * 100, b"x\x1be" * 100), ("ж" * 100, ("ж" * 100).encode("utf-16-be"))]
)
def test_a_long_text_whole(text, octets):
    (sm,) = composer(long_messages="payload").compose(delivery(text), time.time())
    assert (sm.message, sm.esm_class, sm.content) == (b"", 0, octets)


def test_what_cannot_be_together():
    with pytest.raises(ValueError, match="needs version"):
        read({"type": "sms", "long_messages": "sar", "version": "3.3"})
    with pytest.raises(ValueError, match="user data header"):
        read({"type": "sms", "long_messages": "payload", "languages": [1]})


# -- word of an MMS --------------------------------------------------------------------------------------------


def word(body, **fields):
    return delivery(message=message(parts=(Part(MEDIA_TYPE, body),)), **fields)


@pytest.mark.parametrize("wrapped", [False, True])
def test_word_of_an_mms_goes_to_its_port(wrapped):
    body = encode_push(PDU, 7) if wrapped else PDU
    (sm,) = composer().compose(word(body), time.time())
    assert (sm.data_coding, sm.esm_class) == (4, 0x40)
    assert sm.message[:7] == bytes.fromhex("0605040B8423F0")
    push = from_user_data(sm.message)
    assert (push.is_mms, push.content) == (True, PDU)
    assert push.transaction == (7 if wrapped else reference_of("d1") & 0xFF)


def test_a_long_one_is_cut():
    parts = composer().compose(word(PDU * 4), time.time())
    assert len(parts) == 3
    assert all(len(sm.message) <= 140 for sm in parts)
    assert from_segments([part_of(sm).content for sm in parts]).content == PDU * 4
    assert {part_of(sm).port for sm in parts} == {2948}
    assert adapt.fit(word(PDU * 4).message, composer().terms).segments == 3


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((Part(MEDIA_TYPE, b"nonsense"),), Reason.MALFORMED),
        ((Part(MEDIA_TYPE, b""),), Reason.MALFORMED),
        ((Part(MEDIA_TYPE, PDU * 100),), Reason.TOO_LARGE),
        ((Part(MEDIA_TYPE, PDU), text_part("and more")), Reason.UNSUPPORTED_MEDIA),
    ],
)
def test_what_is_no_word_of_an_mms(parts, reason):
    with pytest.raises(SendError) as refused:
        composer().compose(delivery(message=message(parts=parts)), time.time())
    assert refused.value.reason is reason
    assert adapt.fit(message(parts=parts), composer().terms).error.reason is reason
