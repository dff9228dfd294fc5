"""What strangers may send about groups and presence: only the documented errors come of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.group_words import invited, referral
from opencpm.messaging.group_state import group_bytes, group_from
from opencpm.protocols import conference_info, pidf
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from tests.access.sip.test_group_words import GROUP, listed
from tests.protocols.test_conference_info import SHEET
from tests.protocols.test_pidf import BY_OTHERS

HOME = Home("cpm.test", frozenset({"cpm.test"}))


def mangled(document: bytes) -> st.SearchStrategy[bytes]:
    """A document with a piece of it replaced."""
    cut = st.tuples(st.integers(0, len(document)), st.integers(0, 40), st.binary(max_size=40))
    return cut.map(lambda c: document[: c[0]] + c[2] + document[c[0] + c[1] :])


@given(st.one_of(st.binary(max_size=500), mangled(SHEET)))
def test_conference_info(body: bytes) -> None:
    try:
        found = conference_info.parse(body)
    except conference_info.ConferenceInfoError:
        return
    conference_info.build(found)


names = st.sampled_from(["cp", "sip:a@b", "tel:+1", "cid:x@y", ";method=BYE", "<", ">", '"', ",", "?", "%"])
texts = st.one_of(st.text(max_size=60), st.lists(names, max_size=6).map("".join))
types = st.sampled_from(
    ["", "application/resource-lists+xml", "multipart/mixed;boundary=b", "multipart/mixed", "application/sdp", "x"]
)


@given(texts, types, st.one_of(st.binary(max_size=200), mangled(listed("sip:a@cpm.test", "tel:+12025550102"))))
def test_referrals_and_lists(refer_to: str, content_type: str, body: bytes) -> None:
    message = Message("REFER", "sip:x", 0, "", {"refer-to": [refer_to], "content-type": [content_type]}, body)
    for read in (referral, invited):
        try:
            read(message, HOME, 10)
        except (Refusal, SipError):
            pass


@given(mangled(group_bytes(GROUP)))
def test_stored_groups(value: bytes) -> None:
    try:
        group_from("g", value)
    except ValueError:
        pass


def test_a_stored_group_is_read_as_it_was() -> None:
    assert group_from(GROUP.id, group_bytes(GROUP)) == GROUP


@given(st.one_of(st.binary(max_size=300), mangled(BY_OTHERS)))
def test_presence_documents(body: bytes) -> None:
    try:
        found = pidf.parse(body)
    except pidf.PidfError:
        return
    pidf.build(found)
