from __future__ import annotations

import pytest

from opencpm.protocols.mime import Part
from opencpm.protocols.mm1.content_type import ContentType
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.messages import mixed, related
from opencpm.protocols.mm1.mime_parts import from_parts, presentation, to_parts
from opencpm.protocols.mm1.multipart import encode_multipart, part
from opencpm.protocols.mm1.pdu import decode

from .vectors import fixture


def test_a_recorded_message_as_mime():
    pdu = decode(fixture("mm1-send-req.bin"))
    smil, gif, text = to_parts(pdu.content_type, pdu.body)
    assert smil.content_type == 'application/smil; charset=utf-8; name="p.smil"'
    assert gif.headers == (
        ("Content-Type", 'image/gif; name="dot.gif"'),
        ("Content-ID", "<dot.gif>"),
        ("Content-Location", "dot.gif"),
    )
    assert text.body.decode() == "Grüße 😀"
    again = from_parts((smil, gif, text))
    assert [(p.content_id, p.content_location, p.data) for p in again] == [
        (p.content_id, p.content_location, p.data) for p in pdu.parts()
    ]


def test_transfer_encodings_are_undone():
    (text,) = from_parts([Part((("Content-Type", "text/plain"), ("Content-Transfer-Encoding", "base64")), b"SGk=")])
    assert text.data == b"Hi"
    with pytest.raises(Mm1Error):
        from_parts([Part((("Content-Transfer-Encoding", "base64"),), b"!")])


def test_nested_content_is_flattened_and_bounded():
    body = encode_multipart((part(ContentType("text/plain"), b"x"),))
    for _ in range(3):
        body = encode_multipart((part(mixed(), body),))
    assert [p.body for p in to_parts(mixed(), body)] == [b"x"]
    with pytest.raises(Mm1Error):
        to_parts(mixed(), encode_multipart((part(mixed(), body),)))


def test_the_presentation():
    smil = part(ContentType("application/smil"), b"", "b")
    parts = (part(ContentType("application/smil"), b"", "a"), smil, part(ContentType("image/gif"), b""))
    assert presentation(related("b"), parts) is smil
    assert presentation(related("x"), parts) is parts[0]
    assert presentation(mixed(), parts[2:]) is None
