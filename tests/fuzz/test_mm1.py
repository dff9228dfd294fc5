from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.mm1.charsets import EncodedText, read_encoded, write_encoded
from opencpm.protocols.mm1.content_type import (
    ContentType,
    Parameter,
    from_mime,
    read_content_type,
    to_mime,
    write_content_type,
)
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.mime_parts import from_parts, to_parts
from opencpm.protocols.mm1.multipart import decode_multipart, encode_multipart, part
from opencpm.protocols.mm1.pdu import Header, Pdu, decode, encode, missing
from opencpm.protocols.mm1.push import decode_push, from_user_data
from opencpm.protocols.mm1.values import Time
from tests.protocols.mm1.vectors import PDUS, fixture

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\ufffe"), max_size=20)
TOKEN = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0"), max_size=20)
GOOD = [bytes.fromhex(pdu) for pdu in PDUS.values()]
GOOD += [fixture(f"mm1-{name}.bin") for name in ("notification-ind", "retrieve-conf", "send-req", "send-conf")]


@st.composite
def damaged(draw):
    octets = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(0, len(octets)))]) if draw(st.booleans()) else bytes(octets)


@given(damaged() | st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"\x8c\x84" + b))
def test_decoding_raises_only_its_error_and_what_was_decoded_is_stable(octets):
    try:
        pdu = decode(octets)
        missing(pdu)
        again = encode(pdu)
    except Mm1Error:
        return
    assert encode(decode(again)) == again
    try:
        parts = pdu.parts()
        encode_multipart(parts)
        if pdu.content_type is not None:
            from_parts(to_parts(pdu.content_type, pdu.body))
    except Mm1Error:
        pass


@given(st.binary(max_size=200), st.booleans())
def test_every_reader_raises_only_its_error(octets, ported):
    from_user_data((b"\x06\x05\x04\x0b\x84\x23\xf0" if ported else b"") + octets)
    for reader in (decode_push, decode_multipart, read_content_type, read_encoded):
        try:
            reader(octets)
        except Mm1Error:
            pass


@given(TEXT, st.sampled_from([None, 3, 4, 106, 1000, 1013, 1015, 2026, 77777]))
def test_texts_come_back(text, charset):
    assert read_encoded(write_encoded(EncodedText(text, charset)))[0].text == text


@given(TEXT, TOKEN, st.integers(0, 1 << 40), TEXT, st.binary(max_size=50), TEXT)
def test_what_was_written_is_read(subject, token, number, name, data, location):
    headers = (
        Header(Field.MESSAGE_TYPE, 0x84),
        Header(Field.TRANSACTION_ID, token),
        Header(Field.SUBJECT, EncodedText(subject, 106)),
        Header(Field.EXPIRY, Time(number, relative=True)),
        Header(Field.DATE, number),
    )
    content_type = ContentType("text/plain", (Parameter(1, 106), Parameter("x", number)))
    pdu = Pdu(headers, content_type, encode_multipart((part(content_type, data, name, location),)))
    assert decode(encode(pdu)) == pdu
    (read,) = decode_multipart(pdu.body)
    assert read.data == data
    assert read.content_type == content_type


@given(st.text(max_size=60))
def test_mime_types_never_fail(value):
    try:
        content_type = from_mime(value)
        assert "\n" not in to_mime(content_type)
        read_content_type(write_content_type(content_type))
    except Mm1Error:
        pass
