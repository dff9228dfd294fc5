from __future__ import annotations

import gzip
import zlib

import pytest

from opencpm.protocols.mime import (
    MimeError,
    Part,
    build_multipart,
    charset_of,
    decode_content,
    media_type,
    parse_content_type,
    parse_part,
    split_multipart,
)
from tests.transcripts.sip_script import read


def test_content_type_parameters():
    assert parse_content_type('Multipart/Mixed; boundary="a;b\\"c" ; Charset=utf8') == (
        "multipart/mixed",
        {"boundary": 'a;b"c', "charset": "utf8"},
    )
    assert parse_content_type("text/plain;charset") == ("text/plain", {})
    assert media_type("Message/CPIM ; x=y") == "message/cpim"


@pytest.mark.parametrize(
    ("value", "charset"),
    [
        ("text/plain", "utf-8"),
        ('text/plain; charset="utf8"', "utf-8"),
        ("text/plain;charset=ISO-8859-1", "iso-8859-1"),
        ("text/plain;charset=x-unheard-of", "utf-8"),
    ],
)
def test_charset(value, charset):
    assert charset_of(value) == charset


def test_multipart_both_ways():
    parts = (
        Part((("Content-Type", "application/sdp"),), b"v=0\r\n"),
        Part((("Content-Type", "text/plain"), ("Content-Length", "4")), b"--b7"),
    )
    body = build_multipart(parts, "boundary1")
    assert split_multipart("multipart/mixed;boundary=boundary1", body) == parts


def test_multipart_preamble_epilogue_and_a_longer_boundary_inside():
    body = b"hello\r\n--b7\r\n\r\n--b77 is text\r\n--b7  \r\nA: b\n\nx\n--b7--\r\nbye"
    parts = split_multipart('multipart/mixed; boundary="b7"', body)
    assert [p.body for p in parts] == [b"--b77 is text", b"x"]
    assert parts[1].get("a") == "b"


def test_multipart_cut_short_keeps_what_came():
    (part,) = split_multipart("multipart/mixed;boundary=b", b"--b\r\nA: 1\r\n\r\ntext")
    assert part.body == b"text"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", b"--b\r\n\r\nx"),
        ("multipart/mixed;boundary=b", b"no such thing"),
        ("multipart/mixed;boundary=b", b"--b\r\n\r\nx\r\n" * 33),
        ("multipart/mixed;boundary=b", b"--b\r\nno colon\r\n\r\nx\r\n--b--"),
    ],
)
def test_multipart_errors(content_type, body):
    with pytest.raises(MimeError):
        split_multipart(content_type, body)


def test_recorded_deflate():
    event = next(e for e in read("sip-linphone-message-deflated-imdn.txt") if b"deflate" in e.data)
    assert event.whole
    body = decode_content(event.data.partition(b"\r\n\r\n")[2], "deflate")
    assert len(body) == 256
    assert b"<message-id>RipLzrN~jq</message-id>" in body


def test_content_encodings():
    text = b"x" * 1000
    raw = zlib.compressobj(wbits=-15)
    assert decode_content(raw.compress(text) + raw.flush(), "deflate") == text
    assert decode_content(gzip.compress(text), "GZIP") == text
    assert decode_content(gzip.compress(zlib.compress(text)), "deflate, gzip") == text
    assert decode_content(text, "identity") == text
    assert decode_content(text, None) == text


def test_a_bomb_is_not_unpacked():
    bomb = zlib.compress(bytes(10_000_000), 9)
    with pytest.raises(MimeError, match="over 65536"):
        decode_content(bomb, "deflate", limit=65536)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"abc", "br"), (b"not zlib", "deflate"), (zlib.compress(b"x" * 99)[:-6], "deflate"), (b"", "gzip")],
)
def test_content_encoding_errors(body, encoding):
    with pytest.raises(MimeError):
        decode_content(body, encoding)


def test_transfer_encodings():
    assert parse_part(b"Content-Transfer-Encoding: BASE64\r\n\r\naGVs\r\nbG8=\r\n").decoded() == b"hello"
    assert parse_part(b"Content-Transfer-Encoding: quoted-printable\n\na=20b").decoded() == b"a b"
    with pytest.raises(MimeError):
        parse_part(b"Content-Transfer-Encoding: base64\r\n\r\n!").decoded()


def test_folded_header():
    assert parse_part(b"A: b\r\n  c\r\n\r\nx") == Part((("A", "b c"),), b"x")


def test_header_limits():
    with pytest.raises(MimeError):
        parse_part(b"A: " + b"b" * 9000 + b"\r\n\r\n")
    with pytest.raises(MimeError):
        parse_part(b"A: b\r\n" * 65 + b"\r\n")
