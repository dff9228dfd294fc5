from __future__ import annotations

import pytest

from opencpm.protocols.cpim import Cpim, CpimError, build, compose, parse
from tests.transcripts.sip_script import read

SAMPLE = (
    b"From: <sip:anonymous@anonymous.invalid>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n"
    b"DateTime: 2026-11-23T07:26:38Z\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg34jk324j0001\r\n"
    b"imdn.Disposition-Notification: positive-delivery, display\r\n\r\n"
    b"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 9\r\n\r\nHello Bob"
)


def recorded(name: str) -> list[Cpim]:
    bodies = [e.data.partition(b"\r\n\r\n")[2] for e in read(name) if b"message/cpim\r\n" in e.data and e.whole]
    return [parse(body.partition(b"\r\n-------")[0]) for body in bodies if b"DateTime" in body]


def test_sample():
    assert len(SAMPLE) == 310
    cpim = parse(SAMPLE)
    assert cpim.message_id == "Msg34jk324j0001"
    assert cpim.dispositions == ("positive-delivery", "display")
    assert (cpim.sender, cpim.datetime) == ("<sip:anonymous@anonymous.invalid>", "2026-11-23T07:26:38Z")
    assert (cpim.media_type, cpim.text) == ("text/plain", "Hello Bob")
    assert build(cpim.headers, cpim.content_headers, cpim.content) == SAMPLE


def test_compose_gives_the_sample():
    assert (
        compose(
            b"Hello Bob",
            "text/plain;charset=UTF-8",
            message_id="Msg34jk324j0001",
            datetime="2026-11-23T07:26:38Z",
            dispositions=("positive-delivery", "display"),
        )
        == SAMPLE
    )


def test_recorded_pager_message_with_bare_line_feeds():
    for cpim in recorded("sip-cpim-imdn-request-message.txt"):
        assert cpim.message_id == "41700c05-e7a8-482a-8e63-2c7dc5e1efbc"
        assert cpim.datetime == "2026-11-23T07:44:11.560906+00:00"
        assert cpim.content_headers == (
            ("MIME-Version", "1.0"),
            ("Content-Type", 'text/plain; charset="utf-8"'),
        )
        assert cpim.text == "hello with cpim"


def test_recorded_chat():
    composing, hello, reply = recorded("sip-msrp-chat-session.txt")
    assert composing.media_type == "application/im-iscomposing+xml"
    assert (hello.text, hello.message_id, hello.dispositions) == ("hello over msrp", "", ())
    assert reply.text == "reply: hello over msrp"


def test_any_prefix_and_ns_after_other_headers():
    cpim = parse(
        b"From: <sip:a@x>\r\nNS: imdn <urn:something:else>\r\nNS: d <urn:ietf:params:imdn>\r\n"
        b"imdn.Message-ID: no\r\nd.Message-ID: yes\r\nd.Disposition-Notification: Display ,, interworking\r\n\r\n\r\nx"
    )
    assert (cpim.message_id, cpim.dispositions) == ("yes", ("display", "interworking"))
    assert cpim.get_in("urn:something:else", "Message-ID") == "no"
    assert cpim.get_in("urn:unbound", "Message-ID") is None
    assert cpim.content == b"x"


def test_without_ns_a_prefix_means_nothing():
    assert parse(b"From: <sip:a@x>\r\nimdn.Message-ID: m\r\n\r\n\r\nx").message_id == ""


def test_unknown_headers_stay_in_order():
    headers = (("From", "<sip:a@x>"), ("cc", "<sip:c@x>"), ("cc", "<sip:d@x>"), ("Subject", ";lang=fr Bonjour"))
    cpim = parse(build(headers, (("Content-Type", "text/plain"), ("X-One", "1")), b""))
    assert cpim.headers == headers
    assert cpim.get_all("cc") == ("<sip:c@x>", "<sip:d@x>")
    assert cpim.content_header("x-one") == "1"


def test_base64_content():
    cpim = parse(b"From: <sip:a@x>\r\n\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=")
    assert cpim.content == b"hello"


@pytest.mark.parametrize(
    ("length", "content", "kept"),
    [("2", b"hi\r\n", b"hi"), ("1", b"hi\n", b"hi\n"), ("99", b"hi\n", b"hi\n"), ("x", b"hi\n", b"hi\n")],
)
def test_content_length_drops_line_ends_and_nothing_else(length, content, kept):
    head = f"From: <sip:a@x>\r\n\r\nContent-Length: {length}\r\n\r\n".encode()
    assert parse(head + content).content == kept


def test_text_never_fails():
    assert parse(b"From: <sip:a@x>\r\n\r\nContent-Type: text/plain\r\n\r\n\xff").text == "\ufffd"


def test_a_value_cannot_bring_a_header():
    body = compose(b"", "text/plain", message_id="a\r\nTo: <sip:evil@x>", datetime="d")
    assert parse(body).get_all("To") == ("<sip:anonymous@anonymous.invalid>",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"no headers at all\r\n\r\n\r\nx",
        b"Unknown: x\r\n\r\n\r\nx",
        b"From: \xff\r\n\r\n\r\n",
        b"From: <sip:a@x>\r\n" * 65 + b"\r\n\r\n",
        b"From: " + b"x" * 9000 + b"\r\n\r\n\r\n",
        b"From: <sip:a@x>\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\n?",
    ],
)
def test_errors(body):
    with pytest.raises(CpimError):
        parse(body)
