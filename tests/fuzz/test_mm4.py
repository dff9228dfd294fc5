from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.mime import MimeError
from opencpm.protocols.mm4 import ForwardReq, Mm4Error, decode, encode, missing
from opencpm.protocols.mm4.address import parse_address, parse_addresses
from opencpm.protocols.mm4.headers import decode_words, encode_words, read_date
from opencpm.protocols.mm4.status import meaning
from opencpm.protocols.mms.content import flatten

GOOD = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "fixtures/mms").glob("mm4-*.eml"))]
HEAD = b"X-Mms-Message-Type: MM4_forward.REQ\n"


@st.composite
def damaged(draw):
    octets = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 6))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets)


@given(damaged() | st.binary(max_size=200) | st.binary(max_size=200).map(lambda octets: HEAD + octets))
def test_decoding_raises_only_its_error(mail):
    try:
        message = decode(mail)
    except Mm4Error:
        return
    missing(message)
    again = encode(message)
    assert type(decode(again)) is type(message)
    if isinstance(message, ForwardReq):
        try:
            flatten(message.content)
        except MimeError:
            pass


@given(
    st.text(max_size=60),
    st.sampled_from(["utf-8", "gbk", "utf-16", "iso-2022-jp", "unicode_escape"]),
    st.text(max_size=9),
)
def test_words_dates_and_addresses_never_fail(text, charset, coded):
    decode_words(text)
    decode_words(f"{text} =?{charset}?B?{coded}?= =?{charset}?Q?{coded}?={text}")
    read_date(text)
    read_date(f"Mon, 23 Nov {coded} 08:02:26 {coded}")
    meaning(text)
    for address in (parse_address(text), *parse_addresses(text)):
        str(address)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80))
def test_subjects_come_back(text):
    subject = " ".join(text.split())
    assert decode(encode(ForwardReq(subject=subject))).subject == subject
    assert encode_words(text).isascii()
