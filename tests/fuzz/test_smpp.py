from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.binding import Bind
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.command import RESPONSE
from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.events import BindAsked, Received
from opencpm.protocols.smpp.message_id import forms, normal
from opencpm.protocols.smpp.receipt import parse_receipt
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage, decode_short_message, encode_short_message
from opencpm.protocols.smpp.times import TimeError, parse, relative

COMMANDS = st.sampled_from(list(pdu.TABLE)) | st.integers(0, 0xFFFFFFFF)


@st.composite
def frames(draw):
    body = draw(st.binary(max_size=120))
    head = (16 + len(body), draw(COMMANDS), draw(st.integers(0, 0x120)), draw(st.integers(0, 5)))
    return b"".join(value.to_bytes(4, "big") for value in head) + body


@given(frames())
def test_decoding_raises_only_its_error(octets):
    try:
        decoded = pdu.decode(octets)
        pdu.encode(decoded)
    except SmppError:
        pass
    try:
        message = decode_short_message(octets)
        parse_receipt(message)
        Decoder().decode(message.data_coding, [message.content])
    except SmppError:
        pass


@given(st.binary(max_size=300), st.integers(0, 255))
def test_receipts_and_texts_never_fail(octets, coding):
    parse_receipt(ShortMessage(message=octets))
    Decoder().decode(coding, [octets[:50], octets[50:]])


@given(st.lists(frames() | st.binary(max_size=40), max_size=6), st.booleans(), st.integers(1, 50))
def test_a_session_survives_anything(pieces, esme, step):
    session = Session(0.0, bind=Bind(system_id="x") if esme else None)
    data = b"".join(pieces)
    for at in range(0, len(data), step):
        for event in session.receive(data[at : at + step], 1.0):
            if isinstance(event, BindAsked) and not session.bound:
                session.accept(event, "smsc")
            elif isinstance(event, Received):
                session.respond(event, 0, "1")
    session.poll(100.0)
    session.take()
    session.next_timeout()


text = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
octet = st.integers(0, 255)


@given(text, text, st.binary(max_size=254), octet, st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20))))
def test_every_message_comes_back(source, destination, octets, number, tlvs):
    message = ShortMessage(source, destination, octets, esm_class=number, data_coding=number, tlvs=tuple(tlvs[:9]))
    assert decode_short_message(encode_short_message(4, 1, message)) == message


@given(st.text(max_size=70))
def test_ids(message_id):
    keys = [form.key for form in forms(message_id)]
    assert keys[0] == normal(message_id)
    assert len(set(keys)) == len(keys) <= 3


@given(st.text(max_size=20), st.floats(0, 1e9))
def test_times(text, seconds):
    try:
        parse(text, 0.0)
    except TimeError:
        pass
    assert parse(relative(seconds), 0.0) >= min(seconds, 99 * 86400)


def test_responses_are_in_the_table():
    assert RESPONSE | 4 in pdu.TABLE
