from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.protocols.sdp import (
    MsrpMedia,
    SdpError,
    accepts,
    answer,
    answer_direction,
    answer_setup,
    build,
    msrp_media,
    parse,
)
from tests.transcripts.sip_script import read

OFFER = (
    b"v=0\r\no=- 3972972400 3972972400 IN IP4 192.0.2.21\r\ns=-\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\n"
    b"m=message 9 TCP/MSRP *\r\na=accept-types:message/cpim application/im-iscomposing+xml\r\n"
    b"a=accept-wrapped-types:text/plain message/imdn+xml\r\n"
    b"a=path:msrp://192.0.2.21:9/s2alice;tcp\r\na=setup:active\r\na=sendrecv\r\n"
)
OURS = MsrpMedia(
    path="msrp://192.0.2.10:2855/srv-c1;tcp",
    host="192.0.2.10",
    port=2855,
    setup="passive",
    accept_types=("message/cpim", "application/im-iscomposing+xml"),
    wrapped_types=("*",),
)


def test_offer_of_the_sheet():
    index, terms = msrp_media(parse(OFFER))
    assert index == 0
    assert terms == MsrpMedia(
        path="msrp://192.0.2.21:9/s2alice;tcp",
        host="192.0.2.21",
        setup="active",
        accept_types=("message/cpim", "application/im-iscomposing+xml"),
        wrapped_types=("text/plain", "message/imdn+xml"),
    )


def test_answer_of_the_sheet():
    assert answer(parse(OFFER), OURS, session_id=883, version=883) == (
        b"v=0\r\no=- 883 883 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
        b"m=message 2855 TCP/MSRP *\r\na=accept-types:message/cpim application/im-iscomposing+xml\r\n"
        b"a=accept-wrapped-types:*\r\na=path:msrp://192.0.2.10:2855/srv-c1;tcp\r\na=setup:passive\r\na=sendrecv\r\n"
    )


def test_recorded_chat_offer():
    offer = next(e for e in read("sip-msrp-chat-session.txt") if e.data.startswith(b"INVITE"))
    _, terms = msrp_media(parse(offer.data.partition(b"\r\n\r\n")[2]))
    assert (terms.setup, terms.host, terms.port) == ("actpass", "127.0.0.1", 33487)
    assert terms.wrapped_types == ("text/*", "image/*", "application/im-iscomposing+xml")


def test_recorded_file_offer_is_repeated_in_the_answer():
    offer = next(e for e in read("sip-msrp-file-transfer.txt") if e.data.startswith(b"INVITE"))
    description = parse(offer.data.partition(b"\r\n\r\n")[2])
    _, terms = msrp_media(description)
    assert terms.is_file
    assert terms.direction == "sendonly"
    text = answer(description, OURS, session_id=1, version=1).decode()
    assert "a=recvonly\r\n" in text
    assert 'a=file-selector:name:"ft.bin" type:application/octet-stream size:300000 hash:sha-1:37:CB' in text
    assert "a=file-transfer-id:f5a24625-f78c-4b25-bb47-c97213449099\r\n" in text


def test_other_media_are_refused_in_their_places():
    offer = OFFER.replace(b"m=message", b"m=audio 4000 RTP/AVP 0 8\r\nm=message") + b"m=video 4002 RTP/AVP 31\r\n"
    media = parse(answer(parse(offer), OURS, session_id=1, version=1)).media
    assert [(m.kind, m.port, m.formats) for m in media] == [
        ("audio", 0, ("0", "8")),
        ("message", 2855, ("*",)),
        ("video", 0, ("31",)),
    ]


def test_both_ways_with_everything():
    terms = MsrpMedia(
        path="msrps://[::1]:2856/x;tcp",
        host="::1",
        port=2856,
        secure=True,
        setup="actpass",
        wrapped_types=("*",),
        direction="sendonly",
        max_size=1000,
        fingerprint="sha-256 AB:CD",
        file=(("file-selector", 'name:"a"'),),
    )
    assert msrp_media(parse(build(terms, session_id=1, version=2))) == (0, terms)
    active = replace(terms, setup="active")
    assert msrp_media(parse(build(active, session_id=1, version=2)))[1].port == 9


def test_attributes_of_the_session_level_count():
    moved = OFFER.replace(b"a=setup:active\r\n", b"").replace(b"t=0 0\r\n", b"t=0 0\r\na=setup:passive\r\n")
    assert msrp_media(parse(moved))[1].setup == "passive"


def test_no_setup_means_the_offerer_connects():
    assert msrp_media(parse(OFFER.replace(b"a=setup:active\r\n", b"")))[1].setup == "active"


@pytest.mark.parametrize(
    ("offered", "ours"), [("active", "passive"), ("actpass", "passive"), ("passive", "active"), ("holdconn", "passive")]
)
def test_answer_setup(offered, ours):
    assert answer_setup(offered) == ours


def test_answer_direction():
    assert [answer_direction(d) for d in ("sendonly", "recvonly", "sendrecv", "inactive")] == [
        "recvonly",
        "sendonly",
        "sendrecv",
        "inactive",
    ]


def test_accepts():
    assert accepts(("text/*",), "Text/HTML")
    assert accepts(("*",), "image/png")
    assert accepts(("text/plain;charset=utf-8",), "text/plain")
    assert not accepts(("text/plain",), "text/html")
    assert not accepts((), "text/plain")


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (b"TCP/MSRP", b"UDP/MSRP", 302),
        (b"m=message 9 TCP/MSRP *", b"m=audio 9 RTP/AVP 0", 304),
        (b"m=message 9", b"m=message 0", 304),
        (b"a=path:", b"a=other:", 305),
        (b"a=accept-types:", b"a=other:", 305),
        (b"a=setup:active", b"a=setup:sideways", 305),
        (b"m=message 9 TCP/MSRP *", b"a=x", 304),
    ],
)
def test_what_cannot_be_had_names_its_warning(old, new, warning):
    with pytest.raises(SdpError) as refused:
        msrp_media(parse(OFFER.replace(old, new)))
    assert refused.value.warning == warning


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"v=0\r\nm=message x TCP/MSRP *", b"v=0\r\nm=x", b"v=0\r\nnonsense", b"v=\xff", b"v=0\r\n" * 2000],
)
def test_not_sdp(body):
    with pytest.raises(SdpError):
        parse(body)
