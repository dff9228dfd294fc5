"""A trunk may send anything."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.sdp import SdpError
from opencpm.protocols.telephone import audio
from opencpm.protocols.telephone.caller import called_of, caller_of
from opencpm.protocols.telephone.events import Offered
from tests.protocols.telephone.test_agent import Pair, request

values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
headers = st.dictionaries(
    st.sampled_from(["From", "To", "Contact", "P-Asserted-Identity", "Privacy", "Require", "Record-Route", "CSeq"]),
    values | st.sampled_from(["<sip:1@x>;tag=a", "<sip:x>", "1 INVITE", "id"]),
)


@given(st.binary(max_size=300))
def test_descriptions_raise_only_their_error(body):
    try:
        audio.read(body)
    except SdpError:
        pass


@given(
    st.sampled_from(["INVITE", "BYE", "CANCEL", "ACK", "OPTIONS", "UPDATE", "PRACK"]), headers, st.binary(max_size=80)
)
def test_no_request_makes_it_stumble(method, fields, body):
    pair = Pair()
    data = request(method, **fields).replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body
    for event in pair.us.agent.receive("flow", data, 0.0):
        if isinstance(event, Offered):
            assert event.call.request is not None
            caller_of(event.call.request)
            called_of(event.call.request)
            pair.us.agent.accept(event.call, pair.us.audio, 0.0)
            pair.us.agent.hang_up(event.call, 0.0)
    pair.us.agent.take()
    assert pair.us.agent.calls == 0


@given(st.binary(max_size=200), st.integers(100, 699))
def test_no_answer_makes_it_stumble(body, status):
    pair = Pair()
    call = pair.us.agent.dial("flow", "1", "2", "trunk.test", pair.us.audio, 0.0)
    invite = pair.us.agent.take()[0][1].split(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in invite if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
    data = b"\r\n".join([b"SIP/2.0 %d x" % status, *kept, b"Content-Length: %d" % len(body), b"", body])
    pair.us.agent.receive("flow", data, 0.0)
    pair.us.agent.hang_up(call, 0.0)
    pair.us.agent.take()
