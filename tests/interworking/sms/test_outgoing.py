import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import SendError
from opencpm.domain.report import Status
from opencpm.interworking.sms.outgoing import Composer, reference_of
from opencpm.interworking.sms.settings import read

from .support import BOB, delivery

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
