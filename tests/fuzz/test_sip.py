"""Whatever octets come: the SIP readers raise SipError and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.sip.dialog import dialog_id, uas_dialog
from opencpm.protocols.sip.digest import NonceCounts, Policy, verify
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import features_of, parse_accept_contact
from opencpm.protocols.sip.framing import StreamFramer
from opencpm.protocols.sip.headers import parse_auth, parse_cseq, parse_name_addr, parse_via, stamp_via, tag_of, via_key
from opencpm.protocols.sip.message import parse
from opencpm.protocols.sip.response import check_request, encode_response
from opencpm.protocols.sip.text import parse_parameters, split_list
from opencpm.protocols.sip.transaction import TransactionLayer
from opencpm.protocols.sip.uri import parse_uri

GOOD = (
    b'MESSAGE sip:bob@cpm.test SIP/2.0\r\nVia: SIP/2.0/UDP h:5;branch=z9hG4bK1;rport\r\nFrom: "A" <sip:a@x>;tag=1\r\n'
    b'To: sip:b@x\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContact: <sip:a@h>;+g.3gpp.icsi-ref="x,y"\r\n'
    b'Authorization: Digest username="a", realm="r", nonce="n", response="1"\r\nContent-Length: 2\r\n\r\nhi'
)
TEXT = st.text(alphabet='abz09:;,@<>"\\ =.%[]-+*\x00é/?', max_size=60)


@st.composite
def damaged(draw):
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.integers(0, 2))
        if kind == 0:
            data[at] = draw(st.integers(0, 255))
        elif kind == 1:
            del data[at : at + draw(st.integers(1, 20))]
        else:
            data[at:at] = draw(st.binary(max_size=10))
        if not data:
            break
    return bytes(data)


@given(st.one_of(st.binary(max_size=300), damaged()))
def test_messages(data):
    try:
        message = parse(data)
    except SipError:
        return
    layer = TransactionLayer()
    for step in (check_request, dialog_id, lambda m: uas_dialog(m, "t"), lambda m: layer.receive(0, False, m, 0.0)):
        try:
            step(message)
        except SipError:
            pass
    if not message.status:
        answer = parse(encode_response(message, 400, to_tag="t"))
        assert answer.status == 400


@given(st.lists(st.one_of(st.binary(max_size=80), st.just(GOOD), st.just(b"\r\n")), max_size=5))
def test_streams(chunks):
    framer = StreamFramer(max_head=400, max_message=600)
    try:
        for chunk in chunks:
            for message in framer.receive(chunk):
                assert len(message) <= 600
    except SipError:
        pass


@given(TEXT)
def test_values(text):
    readers = (parse_uri, parse_name_addr, parse_via, via_key, parse_cseq, parse_auth, parse_accept_contact)
    for reader in (*readers, parse_parameters, lambda t: features_of(parse_parameters(t))):
        try:
            reader(text)
        except SipError:
            pass
    tag_of(text)
    stamp_via(text, "192.0.2.1", 1)
    assert all(value.strip() == value and value for value in split_list(text.strip()))


@given(
    st.dictionaries(st.sampled_from(["username", "realm", "nonce", "response", "qop", "nc", "uri", "algorithm"]), TEXT)
)
def test_answers_to_challenges(parameters):
    written = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    try:
        auth = parse_auth("Digest " + written)
    except SipError:
        return
    verify(Policy("r", b"k"), auth, "MESSAGE", "0" * 32, NonceCounts(), 0.0)


@given(TEXT.filter(lambda text: "\r" not in text and "\n" not in text))
def test_uris_that_can_be_read_can_be_written_and_read_again(text):
    try:
        uri = parse_uri("sip:" + text)
    except SipError:
        return
    assert parse_uri(str(uri)) == uri
