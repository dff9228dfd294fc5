from __future__ import annotations

import pytest

from opencpm.protocols.mm1.content_type import ContentType, Parameter
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.multipart import (
    CONTENT_DISPOSITION,
    CONTENT_ID,
    Disposition,
    PartHeader,
    WspPart,
    decode_multipart,
    encode_multipart,
    part,
)
from opencpm.protocols.mm1.wsp import Quoted

TEXT = ContentType("text/plain", (Parameter(1, 106),))


def test_there_and_back():
    parts = (
        part(TEXT, b"Hi", "t", "t.txt"),
        WspPart(
            ContentType("image/png"),
            (
                PartHeader(CONTENT_DISPOSITION, Disposition("attachment", (Parameter(6, "a.png"),))),
                PartHeader("x-name", "value"),
                PartHeader(0x0B, b"\x80"),
                PartHeader(0x2E, Disposition("odd")),
            ),
            bytes(range(256)),
        ),
    )
    assert decode_multipart(encode_multipart(parts)) == parts
    assert (parts[0].content_id, parts[0].content_location, parts[0].name) == ("t", "t.txt", "t.txt")
    assert parts[1].name == "a.png"


def test_names():
    named = WspPart(ContentType("image/gif", (Parameter(5, Quoted("b.gif")),)), (PartHeader("Content-ID", "<c>"),), b"")
    assert (named.name, named.content_id) == ("b.gif", "c")
    assert part(TEXT, b"").name == ""
    assert WspPart(TEXT, (PartHeader(CONTENT_ID, b"\x80"),), b"").content_id == ""


def test_a_wrong_count_is_read_until_the_end():
    body = encode_multipart((part(TEXT, b"1"), part(TEXT, b"2")))
    for count in (b"\0", b"\x7f"):
        assert [p.data for p in decode_multipart(count + body[1:])] == [b"1", b"2"]
    assert len(decode_multipart(b"\x01" + body[1:])) == 1


@pytest.mark.parametrize(
    "body", [b"", b"\x01\x05\x01\x83", b"\x01\x01\x05\x83ab", b"\x01\x00\x00", b"\x01\x02\x00\x83\x8e"]
)
def test_refused(body):
    with pytest.raises(Mm1Error):
        decode_multipart(body)


def test_floods_are_refused():
    with pytest.raises(Mm1Error):
        decode_multipart(encode_multipart((part(TEXT, b""),) * 5), max_parts=4)
    with pytest.raises(Mm1Error):
        decode_multipart(encode_multipart((WspPart(TEXT, (PartHeader("a", "b"),) * 33, b""),)))
