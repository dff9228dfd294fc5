from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.access.sip.session_content import Parties, composing_body, delivery_body, read
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, Part, message_ident
from opencpm.domain.report import Status
from opencpm.domain.session import Composing
from opencpm.protocols import cpim, imdn, iscomposing
from tests.access.sip.rig import ALICE, BOB
from tests.access.sip.session_rig import chat, cpim_text

PARTIES = Parties(ALICE, BOB, "sip", "s1", "K1", "C1")
CPIM = ("message/cpim",)


def taken(content_type: str, body: bytes, parties: Parties = PARTIES):
    return read(content_type, body, "wire-1", parties, 100.0, 10_000)


def test_a_text():
    message = taken("message/cpim", cpim_text("hello", "M1"))
    assert isinstance(message, Message)
    assert (message.id, message.message_id) == (message_ident(ALICE, "M1"), "M1")
    assert (message.text, message.kind, message.session_id) == ("hello", MessageKind.CHAT, "s1")
    assert (message.conversation_id, message.contribution_id, message.origin) == ("K1", "C1", "sip")
    assert (message.sent_at, message.received_at) == (1795418882.0, 100.0)


def test_without_cpim_the_wire_id_stands_in():
    message = taken("text/plain;charset=utf-8", b"bare")
    assert isinstance(message, Message)
    assert (message.message_id, message.sent_at) == ("wire-1", 100.0)


def test_outside_a_session_it_is_a_standalone_message():
    message = taken("message/cpim", cpim_text("x", "M1"), replace(PARTIES, session_id=""))
    assert isinstance(message, Message)
    assert message.kind is MessageKind.STANDALONE


@pytest.mark.parametrize(
    ("kind", "status", "found"),
    [
        ("delivery", "delivered", [Status.DELIVERED]),
        ("delivery", "failed", [Status.FAILED]),
        ("display", "displayed", [Status.DISPLAYED]),
        ("display", "forbidden", []),
        ("processing", "processed", []),
        ("interworking", "legacy-sms", []),
    ],
)
def test_dispositions_that_a_device_can_know(kind, status, found):
    body = imdn.build(imdn.Imdn("m1", "2026-11-23T07:28:02Z", kind, status))
    reports = taken("message/imdn+xml", body)
    assert isinstance(reports, list)
    assert [r.status for r in reports] == found
    assert all(r.message_id == "m1" and r.reporter == ALICE and r.original_sender == BOB for r in reports)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("message/cpim", b"", Reason.MALFORMED),
        ("message/imdn+xml", b"<imdn/>", Reason.MALFORMED),
        ("application/im-iscomposing+xml", b"", Reason.MALFORMED),
        ("multipart/mixed;boundary=b", b"--b--", Reason.MALFORMED),
        ("text/plain", b"x" * 20_000, Reason.TOO_LARGE),
        ("x-strange/type", b"", Reason.UNSUPPORTED_MEDIA),
    ],
)
def test_what_is_refused(kind, body, reason):
    with pytest.raises(SendError) as refused:
        taken(kind, body)
    assert refused.value.reason is reason


def test_the_form_the_device_listed():
    wrapped = delivery_body(chat("hello"), CPIM, ("text/plain",))
    assert (wrapped.content_type, cpim.parse(wrapped.content).text) == ("message/cpim", "hello")
    assert delivery_body(chat("hello"), CPIM, ()).content_type == "message/cpim"
    bare = delivery_body(chat("hello"), ("text/*",), ())
    assert (bare.content_type, bare.content) == ("text/plain;charset=UTF-8", b"hello")
    notice = chat("", notice=Notice(message_id="m", original_sent_at=0.0, recipient=BOB, status=Status.DISPLAYED))
    assert imdn.parse(delivery_body(notice, ("*",), ("*",)).content.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")[2])
    with pytest.raises(SendError):
        delivery_body(notice, CPIM, ("text/plain",))


def test_several_parts_travel_together():
    base = chat("")
    parts = (Part("text/plain", b"look"), Part("image/png", b"\x89PNG", "a.png", "attachment"))
    body = delivery_body(replace(base, message=replace(base.message, parts=parts)), CPIM, ("*",))
    again = taken(body.content_type, body.content)
    assert isinstance(again, Message)
    assert [(p.media_type, p.body) for p in again.parts] == [("text/plain", b"look"), ("image/png", b"\x89PNG")]


def test_typing_in_the_form_the_device_listed():
    typing, kind = Composing(True, 60.0), iscomposing.CONTENT_TYPE
    bare = composing_body(typing, ("message/cpim", kind), (), "t1", 0.0)
    assert bare is not None
    assert bare.content_type == kind
    wrapped = composing_body(typing, CPIM, (kind,), "t1", 0.0)
    assert wrapped is not None
    assert taken(wrapped.content_type, wrapped.content) == typing
    assert composing_body(typing, CPIM, ("text/plain",), "t1", 0.0) is None
