"""Word of an MMS for a line: 8-bit data to the port of WAP pushes, octet by octet."""

import time

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.interworking.fixedline import adapt, outgoing
from opencpm.interworking.fixedline.profile import profile_of
from opencpm.interworking.fixedline.settings import read
from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.tpdu.messages import read_from_centre, read_from_terminal
from opencpm.protocols.mm1 import encode
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.mm1.push import PUSH_PORT, from_segments
from opencpm.protocols.mm1.values import Time
from tests.interworking.fixedline.support import CENTRE, FOREIGN, LINE, delivery, message


def settings(**values):
    return read({"type": "fixedline", "number": CENTRE, "notifications": True, "max_segments": 2, **values})


def pdu(location="http://m.example/1"):
    return encode(mm1.notification_ind("N1", location, 30000, Time(1_800_000_000), sender="+12025550100/TYPE=PLMN"))


def word(body=None, content_type=MEDIA_TYPE):
    return message("", parts=(Part(content_type, pdu() if body is None else body),))


def composed(body, values):
    return outgoing.compose(delivery(message=word(body)), values.trunks[0], values, time.time())


def test_as_centre_it_is_data_to_the_port():
    (form,) = composed(pdu(), settings())
    said = read_from_centre(form[1])
    header, _ = udh.split(said.data.header)
    assert (said.dcs, header.destination_port) == (0xF5, PUSH_PORT)
    found = from_segments([said.data.content])
    assert found is not None
    assert found.content == pdu()


def test_protocol_2_has_no_way_for_data():
    (form,) = composed(pdu(), settings())
    assert list(form) == [1]


def test_a_long_one_goes_in_segments_and_a_repetition_is_the_same():
    long = pdu("http://m.example/" + "a" * 120)
    forms = composed(long, settings())
    assert forms == composed(long, settings())
    parts = [read_from_centre(form[1]).data for form in forms]
    heads = [udh.split(part.header)[0].concat for part in parts]
    assert [(head.number, head.total) for head in heads] == [(1, 2), (2, 2)]
    found = from_segments([part.content for part in parts])
    assert found is not None
    assert found.content == long


def test_as_terminal_it_is_submitted():
    values = settings(number=LINE, role="terminal", centre=FOREIGN)
    (form,) = composed(pdu(), values)
    assert read_from_terminal(form[1]).dcs == 0xF5


def test_the_fit_is_what_is_sent():
    values = settings()
    assert adapt.fit(word(), values).segments == 1
    assert adapt.fit(word(pdu("http://m.example/" + "a" * 120)), values).segments == 2
    assert MEDIA_TYPE in profile_of(values).content_types
    assert MEDIA_TYPE not in profile_of(settings(notifications=False)).content_types


@pytest.mark.parametrize(
    ("body", "values", "reason"),
    [
        (None, {"notifications": False}, Reason.UNSUPPORTED_MEDIA),
        (b"", {}, Reason.MALFORMED),
        (b"\xff" * 40, {}, Reason.MALFORMED),
        (pdu("http://m.example/" + "a" * 120), {"max_segments": 1}, Reason.TOO_LARGE),
    ],
)
def test_what_does_not_go_has_a_reason(body, values, reason):
    fit = adapt.fit(word(body), settings(**values))
    assert fit.error is not None
    assert fit.error.reason is reason
    with pytest.raises(SendError) as error:
        outgoing.compose(delivery(message=word(body)), settings().trunks[0], settings(**values), time.time())
    assert error.value.reason is reason
