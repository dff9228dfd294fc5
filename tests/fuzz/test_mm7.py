from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.mime import MimeError, Part
from opencpm.protocols.mm7 import REL_6, Message, Mm7Error, decode, encode
from opencpm.protocols.mm7.elements import SLOTS
from opencpm.protocols.mm7.envelope import missing, read_envelope
from opencpm.protocols.mm7.operations import ERRORS, RESPONSES, SubmitReq
from opencpm.protocols.mm7.schema import SOAP
from opencpm.protocols.mm7.status import http_meaning, meaning
from opencpm.protocols.mm7.times import format_time, parse_time
from opencpm.protocols.mm7.values import MAIL, NUMBER, Address, Content, Recipients
from opencpm.protocols.mms.content import bare_id, flatten
from opencpm.protocols.mms.report import outcome, was_read
from tests.protocols.mm7.recorded import NAMES, exchange

GOOD = [http for name in NAMES for http in exchange(name) if http.body]
INNER = ("Status", "StatusCode", "Recipients", "To", "Number", "Content", "Sender", "ReplyCharging", "UserAgent")
WORDS = st.sampled_from([*SLOTS, *RESPONSES, *ERRORS, *INNER, "Fault", "Previouslysentby", "MM7Version", "Details"])
PLAIN = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=20
)


@st.composite
def trees(draw, depth=0):
    name = draw(WORDS)
    inner = (
        "".join(draw(st.lists(trees(depth + 1), max_size=3))) if depth < 3 else draw(st.sampled_from(["", "1", "+4"]))
    )
    return f'<{name} href="x" sequence="{draw(st.sampled_from(["", "1", "x"]))}">{inner}</{name}>'


@st.composite
def damaged(draw):
    http = draw(st.sampled_from(GOOD))
    octets = bytearray(http.body)
    for _ in range(draw(st.integers(1, 5))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return http.content_type, bytes(octets)


@given(
    damaged() | st.tuples(st.sampled_from(["text/xml", "multipart/related;boundary=b", ""]), st.binary(max_size=200))
)
def test_decoding_raises_only_its_error(source):
    try:
        message = decode(*source)
        missing(message.operation)
        if message.content is not None:
            flatten(message.content)
        encode(message, "boundary")
    except (Mm7Error, MimeError):
        pass


@given(trees())
def test_any_tree_is_read_or_refused(tree):
    try:
        read_envelope(f'<Envelope xmlns="{SOAP}"><Header/><Body>{tree}</Body></Envelope>'.encode())
    except Mm7Error:
        pass


@given(
    PLAIN,
    PLAIN,
    st.lists(st.tuples(st.sampled_from([NUMBER, MAIL]), PLAIN), max_size=3),
    st.binary(max_size=99),
)
def test_what_was_written_is_read(subject, transaction, to, data):
    operation = SubmitReq(
        subject=subject,
        recipients=Recipients(tuple(Address(kind, value) for kind, value in to)),
        content=Content("cid:c"),
    )
    content = Part((("Content-Type", "image/gif"), ("Content-ID", "<c>")), data)
    message = Message(transaction, operation, REL_6, content)
    assert decode(*encode(message, "a boundary that no data has")) == message


@given(st.text(max_size=40), st.integers(), st.floats())
def test_words_numbers_and_times(text, number, moment):
    meaning(number)
    http_meaning(number)
    outcome(text)
    was_read(text)
    bare_id(text)
    for call in (lambda: parse_time(text, 0.0), lambda: parse_time("P" + text, 0.0), lambda: format_time(moment)):
        try:
            call()
        except Mm7Error:
            pass
