from __future__ import annotations

import pytest

from opencpm.protocols.mm1.content_type import (
    ContentType,
    Parameter,
    from_mime,
    read_content_type,
    to_mime,
    write_content_type,
)
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.wsp import Quoted

RELATED = "application/vnd.wap.multipart.related"
VECTORS = {
    "038381ea": ContentType("text/plain", (Parameter(1, 106),)),
    "089e85612e6a706700": ContentType("image/jpeg", (Parameter(5, "a.jpg"),)),
    "1db38a3c702e736d696c3e00896170706c69636174696f6e2f736d696c00": ContentType(
        RELATED, (Parameter(0x0A, "<p.smil>"), Parameter(9, "application/smil"))
    ),
    "1f1fb389226170706c69636174696f6e2f736d696c008a223c702e736d696c3e00": ContentType(
        RELATED, (Parameter(9, Quoted("application/smil")), Parameter(0x0A, Quoted("<p.smil>")))
    ),
    "a3": ContentType("application/vnd.wap.multipart.mixed"),
    "6170706c69636174696f6e2f736d696c00": ContentType("application/smil"),
    "04ca780081": ContentType("application/vnd.oma.drm.rights+xml", (Parameter("x", 1),)),
}


@pytest.mark.parametrize(("octets", "value"), VECTORS.items())
def test_vectors(octets, value):
    assert write_content_type(value).hex() == octets
    assert read_content_type(bytes.fromhex(octets)) == (value, len(octets) // 2)


def test_values_as_mime_says_them():
    value = ContentType("text/plain", (Parameter(1, 106), Parameter(0x17, Quoted("a.txt")), Parameter(9, 0x1E)))
    assert value.get("charset") == "utf-8"
    assert value.get("name") == "a.txt"
    assert value.get("type") == "image/jpeg"
    assert value.get("start") is None
    assert to_mime(value) == 'text/plain; charset=utf-8; name="a.txt"; type="image/jpeg"'
    assert to_mime(ContentType("text/plain", (Parameter(1, 0),))) == "text/plain"


def test_from_mime():
    assert from_mime('text/plain; charset="UTF-8"; name=a.txt') == (
        "text/plain",
        (Parameter(1, 106), Parameter(5, "a.txt")),
    )
    assert from_mime('multipart/related; boundary=x; start="<s>"; type="application/smil"') == (
        RELATED,
        (Parameter(0x0A, "<s>"), Parameter(9, "application/smil")),
    )
    assert from_mime("TEXT/X-VCARD").media == "text/x-vCard"
    assert from_mime("text/plain; charset=klingon; x=y").parameters == (
        Parameter("charset", "klingon"),
        Parameter("x", "y"),
    )
    assert from_mime("multipart/mixed; type=image/jpeg").parameters == (Parameter(9, 0x1E),)


def test_nothing_of_a_parameter_leaves_its_header_line():
    assert to_mime(ContentType("text/plain\r\nX: y", (Parameter(5, 'a"\r\nX: y\\'),))) == (
        'text/plainX: y; name="a\\"X: y\\\\"'
    )


def test_unknown_numbers_come_back():
    value, _ = read_content_type(b"\x03\xff\xb1\x81")
    assert value == ("application/x-wap-7f", (Parameter(0x31, 1),))
    assert to_mime(value) == "application/x-wap-7f"
    assert write_content_type(read_content_type(b"\xff")[0]) == b"\xff"
    assert write_content_type(read_content_type(b"\x03\x02\x03\xe8")[0]).endswith(b"\0")
    assert read_content_type(b"\x03\x83\x80\x50")[0].parameters == (Parameter(0, 0x50),)


@pytest.mark.parametrize("octets", [b"", b"\0", b"\x05\x83", b"\x02\x83\x81", b"\x1f\xff", b"text/plain"])
def test_refused(octets):
    with pytest.raises(Mm1Error):
        read_content_type(octets)


def test_a_flood_of_parameters_is_refused():
    with pytest.raises(Mm1Error):
        read_content_type(write_content_type(ContentType("text/plain", (Parameter(1, 3),) * 33)))
