from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.access.sip.session_terms import answer_to, connect_to, offer_terms, read_answer, read_invitation
from opencpm.protocols import cpim, sdp
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sdp import MsrpMedia, SdpError
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from tests.access.sip.session_rig import cpim_text, offer_sdp
from tests.transcripts.sip_script import read

PATH = "msrp://192.0.2.21:9/s2alice;tcp"
OURS = MsrpUri("192.0.2.10", 2855, "srv-c1")


def invite(body: bytes, kind: str = "application/sdp") -> Message:
    return Message("INVITE", "sip:bob@cpm.test", 0, "", {"content-type": [kind]}, body)


def answered(body: bytes) -> tuple[MsrpMedia, MsrpMedia]:
    """Our terms, and our answer read again."""
    terms, data = answer_to(read_invitation(invite(body), "cpm.test"), OURS, max_size=9, number=1, version=2)
    return terms, sdp.msrp_media(sdp.parse(data))[1]


def test_multipart_with_a_first_text():
    text = cpim_text("hello", "F1")
    body = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + offer_sdp(PATH) + b"\r\n--b\r\nContent-Type: Message/CPIM"
    found = read_invitation(invite(body + b"\r\n\r\n" + text + b"\r\n--b--", "Multipart/Mixed; boundary=b"), "cpm.test")
    assert found.terms.path == PATH
    assert cpim.parse(found.first).text == "hello"


@pytest.mark.parametrize(
    ("setup", "ours", "port"), [("active", "passive", 2855), ("actpass", "passive", 2855), ("passive", "active", 9)]
)
def test_setup(setup, ours, port):
    terms, again = answered(offer_sdp(PATH, setup))
    assert (terms.setup, again.setup, again.port, again.max_size) == (ours, ours, port, 9)


def test_bare_text_only_for_those_who_take_no_cpim():
    assert answered(offer_sdp(PATH, accept_types="*"))[1].accept_types == (
        "message/cpim",
        "application/im-iscomposing+xml",
    )
    assert "text/plain" in answered(offer_sdp(PATH, accept_types="text/plain"))[1].accept_types


def test_where_to_connect():
    terms = MsrpMedia(path="msrp://relay.cpm.test:1/r;tcp msrp://192.0.2.21:2/s;tcp", host="203.0.113.1", port=7394)
    assert connect_to(terms)[:2] == ("relay.cpm.test", 1)
    gateway = MsrpMedia(path=terms.path, host=terms.host, port=terms.port, cema=True)
    assert connect_to(gateway)[:3] == ("203.0.113.1", 7394, "r")
    with pytest.raises(SdpError):
        connect_to(MsrpMedia(path="nonsense"))


def test_our_offer():
    terms, body = offer_terms(OURS, max_size=7, number=5, direction="sendonly")
    assert sdp.msrp_media(sdp.parse(body)) == (0, terms)
    assert (terms.setup, terms.direction) == ("actpass", "sendonly")
    assert body.startswith(b"v=0\r\no=- 5 5 IN IP4 192.0.2.10\r\n")


def test_a_recorded_answer():
    ok = next(e for e in read("sip-msrp-chat-session.txt") if b"200 OK\r\n" in e.data and b"m=message" in e.data)
    body = ok.data.partition(b"\r\n\r\n")[2]
    found = read_answer(Message("", "", 200, "OK", {"content-type": ["application/sdp"]}, body))
    assert (found.setup, found.path) == ("passive", "msrp://192.0.2.2:39353/f909c5e01dfb307d83d4;tcp")


def test_an_answer_without_setup_leaves_connecting_to_us():
    body = offer_sdp(PATH, "")
    assert read_answer(Message("", "", 200, "", {"content-type": ["application/sdp"]}, body)).setup == "passive"


@pytest.mark.parametrize("kind", ["text/plain", "application/sdp"])
def test_answers_that_cannot_be_used(kind):
    with pytest.raises(SdpError):
        read_answer(Message("", "", 200, "", {"content-type": [kind]}, b"v=0\r\n"))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 300),
    st.binary(max_size=12),
    st.integers(0, 12),
    st.sampled_from(["application/sdp", "multipart/mixed;boundary=b", "text/plain", ""]),
)
def test_any_invitation_is_read_or_refused(at, inserted, cut, kind):
    lead = b"--b\r\nContent-Type: application/sdp\r\n\r\n" if "multipart" in kind else b""
    whole, status = lead + offer_sdp(PATH), 488
    try:
        found = read_invitation(invite(whole[:at] + inserted + whole[at + cut :], kind), "cpm.test")
        answer_to(found, OURS, max_size=9, number=1, version=1)
    except Refusal as refusal:
        status = refusal.status
    assert status in (400, 415, 488)
