from __future__ import annotations

import pytest

from opencpm.protocols import imdn
from opencpm.protocols.imdn import CPM_NS, KINDS, NS, Imdn, ImdnError, build, parse, parse_body
from opencpm.protocols.mime import Part, build_multipart, decode_content
from tests.transcripts.sip_script import read

DELIVERED = Imdn("Msg34jk324j0001", "2026-11-23T07:26:38Z", "delivery", "delivered")


@pytest.mark.parametrize(("kind", "status"), [(k, s) for k, statuses in KINDS.items() for s in sorted(statuses)])
def test_every_kind_and_status_both_ways(kind, status):
    notification = Imdn("a<b>&\"c'", "2026-11-23T07:26:38Z", kind, status, "sip:bob@cpm.test", "tel:+1202", "so & so")
    assert parse(build(notification)) == notification


def test_sheet_sample():
    body = build(DELIVERED)
    assert len(body) == 254
    assert body.endswith(
        b"<datetime>2026-11-23T07:26:38Z</datetime>\r\n"
        b"<delivery-notification><status><delivered/></status></delivery-notification>\r\n</imdn>"
    )
    assert parse(body) == DELIVERED


def test_plain_documents_need_no_xml_parser(monkeypatch):
    def refuse(body: bytes) -> Imdn:
        raise AssertionError("slow path")

    monkeypatch.setattr(imdn, "_parse_xml", refuse)
    assert parse(build(DELIVERED)) == DELIVERED
    event = next(e for e in read("sip-linphone-message-deflated-imdn.txt") if b"deflate" in e.data)
    body = decode_content(event.data.partition(b"\r\n\r\n")[2], "deflate")
    assert parse(body) == Imdn("RipLzrN~jq", "2026-11-23T07:39:03Z", "delivery", "delivered")


@pytest.mark.parametrize("outer", ["interworking-notification", "cpm:interworking-notification"])
def test_interworking_in_both_spellings(outer):
    body = (
        f'<imdn xmlns="{NS}" xmlns:cpm="{CPM_NS}"><message-id>m</message-id><datetime>d</datetime>'
        f"<{outer}><status><cpm:legacy-sms/></status></{outer}></imdn>"
    )
    assert parse(body.encode()) == Imdn("m", "d", "interworking", "legacy-sms")


def test_prefixed_commented_and_utf16():
    body = (
        f'<i:imdn xmlns:i="{NS}"><!-- x --><i:message-id> m&#49; </i:message-id>'
        "<i:display-notification><i:status><i:displayed></i:displayed></i:status></i:display-notification></i:imdn>"
    )
    expected = Imdn("m1", "", "display", "displayed")
    assert parse(body.encode()) == expected
    assert parse(('<?xml version="1.0" encoding="UTF-16"?>' + body).encode("utf-16")) == expected


def test_aggregated():
    other = Imdn("m2", "d", "display", "displayed")
    parts = [Part((("Content-Type", "message/imdn+xml"),), build(i)) for i in (DELIVERED, other)]
    body = build_multipart([*parts, Part((), b"text")], "b")
    assert parse_body("multipart/mixed;boundary=b", body) == (DELIVERED, other)
    assert parse_body("message/imdn+xml;charset=utf-8", build(other)) == (other,)


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/mixed;boundary=b", "multipart/mixed"])
def test_body_of_another_type(content_type):
    with pytest.raises(ImdnError):
        parse_body(content_type, b"--b\r\n\r\ntext\r\n--b--")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<imdn/>",
        b"<other/>",
        build(DELIVERED).replace(b"<delivered/>", b"<displayed/>"),
        build(DELIVERED).replace(b"delivery-", b"other-"),
        build(DELIVERED).replace(b"<message-id>Msg34jk324j0001</message-id>", b""),
        build(DELIVERED)[:-9],
        b'<!DOCTYPE imdn [<!ENTITY e "x">]>' + build(DELIVERED).partition(b"?>")[2].replace(b"Msg", b"&e;"),
        build(DELIVERED) + b" " * 16384,
    ],
)
def test_errors(body):
    with pytest.raises(ImdnError):
        parse(body)


def test_build_refuses_a_status_of_another_kind():
    with pytest.raises(ImdnError):
        build(Imdn("m", "d", "delivery", "displayed"))
