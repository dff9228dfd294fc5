"""Whatever body a MESSAGE has: it is read, or refused in SIP's own terms."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.access.sip.binding import from_json
from opencpm.access.sip.content import read, rfc3339
from opencpm.access.sip.pager import delivery_of
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from tests.access.sip.test_location import binding
from tests.access.sip.test_pager import CPIM, LIST

TYPES = st.sampled_from(["message/cpim", "multipart/mixed;boundary=b7", "text/plain;charset=x", "message/imdn+xml", ""])
PIECES = st.sampled_from(
    [CPIM, LIST % CPIM, b"\r\n\r\n", b"--b7", b"--b7--\r\n", b"NS: imdn <urn:ietf:params:imdn>\r\n"]
)


@given(
    TYPES,
    st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=6),
    st.sampled_from(["", "gzip", "deflate", "x"]),
)
def test_bodies(content_type, pieces, encoding):
    headers = {"content-type": [content_type], "content-encoding": [encoding], "date": ["Mon, 99 Nov"]}
    message = Message("MESSAGE", "sip:b@x", 0, "", headers, b"".join(pieces))
    status, parts = 200, ()
    try:
        parts = read(message, limit=2000).parts
    except Refusal as refusal:
        status = refusal.status
    assert status in (200, 400, 413, 415)
    assert all(part.text is not None for part in parts)


@given(st.text(max_size=60))
def test_ids(text):
    delivery_of(text)
    delivery_of("dlv-" + text)


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3))
def test_bindings_with_any_text_survive_being_written(agent, parameters):
    back = from_json(binding(user_agent=agent, parameters=parameters).to_json())
    assert (back.user_agent, back.parameters) == (agent, parameters)


@given(st.floats(0, 4e9))
def test_times_are_written_to_the_millisecond_in_utc(at):
    assert rfc3339(at).endswith("Z")
