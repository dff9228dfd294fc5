from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from opencpm.interworking.ucp.inbound import Inbound
from opencpm.interworking.ucp.settings import read
from opencpm.protocols.ucp import framing, times, xser
from opencpm.protocols.ucp.codes import why
from opencpm.protocols.ucp.content import content_of, text_of
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.events import LoginAsked, Received
from opencpm.protocols.ucp.framing import Frame, FrameBuffer
from opencpm.protocols.ucp.operations import Message, operation_of, result_of
from opencpm.protocols.ucp.originator import decode_name, encode_name
from opencpm.protocols.ucp.session import Login, Session
from tests.interworking.sms.support import Clock, Inbox, context

safe = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"), max_size=12)
hexadecimal = st.binary(max_size=20).map(lambda octets: octets.hex())
field = safe | hexadecimal
OT = st.sampled_from([1, 2, 30, 31, 51, 52, 53, 54, 60, 61, 99])
COUNT = st.sampled_from([1, 2, 3, 5, 10, 12, 33])


@st.composite
def frames(draw):
    fields = [draw(field)] * draw(COUNT)
    if draw(st.booleans()):
        fields[0] = draw(st.sampled_from(["A", "N"]))
    return Frame(draw(st.integers(0, 99)), draw(st.booleans()), draw(OT), tuple(fields))


@given(st.binary(max_size=200) | st.text(st.sampled_from("0123456789/ORAN"), max_size=60).map(str.encode))
def test_decoding_raises_only_its_error(octets):
    try:
        framing.decode(octets)
    except UcpError:
        pass


@given(frames())
def test_every_frame_comes_back(frame):
    (octets,) = FrameBuffer().feed(framing.encode(frame))
    assert framing.decode(octets) == frame
    try:
        result_of(frame) if frame.result else operation_of(frame)
    except UcpError:
        pass


@given(
    st.lists(frames().map(framing.encode) | st.binary(max_size=40), max_size=6),
    st.booleans(),
    st.integers(1, 50),
)
def test_a_session_survives_anything(pieces, centre, step):
    session = Session(0.0, centre=centre, login=None if centre else Login(address="x"))
    data = b"".join(pieces)
    for at in range(0, len(data), step):
        for event in session.receive(data[at : at + step], 1.0):
            if isinstance(event, LoginAsked):
                session.accept(event)
            elif isinstance(event, Received):
                session.respond(event, 0, "1")
    session.poll(100.0)
    session.take()
    session.next_timeout()


@given(st.sampled_from(["2", "3", "4", "", "x"]), field, field, field)
def test_contents_raise_only_their_error(mt, msg, nb, services):
    try:
        data = content_of(Message(mt=mt, msg=msg, nb=nb, xser=services))
    except UcpError:
        return
    text_of(data.dcs, [data.octets])


@given(st.text(max_size=14), field)
def test_names(name, packed):
    try:
        assert decode_name(encode_name(name)).rstrip("@") == name.rstrip("@")
    except UcpError:
        pass
    try:
        decode_name(packed)
    except UcpError:
        pass


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=9)), max_size=5), field)
def test_extra_services(services, text):
    assert xser.decode(xser.encode(services)) == tuple(services)
    try:
        xser.decode(text)
    except UcpError:
        pass


@given(st.text(max_size=20))
def test_small_fields_never_fail(text):
    times.name_of(text)
    why(text)


number = st.sampled_from(["447700900123", "12025550100", "60606", "0E436813442DCFE9", ""]) | safe
services = st.sampled_from(["", "020108", "0201F5", "0106050003010201", "0106050003010202", "01"]) | hexadecimal
deliveries = st.builds(
    lambda ot, adc, oadc, otoa, mt, msg, extra, rpid, scts, dst: Received(
        ot, 0, Message(adc, oadc, otoa=otoa, mt=mt, msg=msg, xser=extra, rpid=rpid, scts=scts, dst=dst)
    ),
    st.sampled_from([1, 52, 52, 53]),
    number,
    number,
    st.sampled_from(["", "1139", "5039"]),
    st.sampled_from(["2", "3", "3", "4"]),
    hexadecimal | safe,
    services,
    st.sampled_from(["0000", "0064", ""]),
    st.sampled_from(["231126073015", ""]),
    st.sampled_from(["0", "1", "2", ""]),
)


@given(st.lists(deliveries, max_size=20))
def test_everything_the_centre_brings_is_answered_once(batch):
    answers, clock, inbox = Counter(), Clock(), Inbox()
    inbound = Inbound(read({}), context(clock=clock))
    inbound.start(inbox)
    for at, event in enumerate(batch):
        inbound.take(lambda received, ec, sm: answers.update([received.trn]), [event._replace(trn=at)])
    clock.ahead = 1e6
    inbound.expire()
    assert answers == Counter(range(len(batch)))
    assert all(report.key for report in inbox.reports)
    assert all(message.text for message in inbox.messages)
