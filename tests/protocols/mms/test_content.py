from __future__ import annotations

import pytest

from opencpm.protocols.mime import MimeError, Part
from opencpm.protocols.mms.content import bare_id, flatten, multipart, part_of, presentation, transfer

SMIL = part_of("application/smil; charset=utf-8", b"<smil/>", "p.smil", "p.smil")
TEXT = part_of("text/plain; charset=utf-8", "Grüße".encode(), "t", "t.txt")
IMAGE = part_of("image/gif", bytes(range(256)), "i", "i.gif")


@pytest.mark.parametrize("text", ["a", "<a>", "cid:a", "CID:a", '"<a>"', " a ", "cid:<a>"])
def test_ids_as_peers_write_them(text):
    assert bare_id(text) == "a"


@pytest.mark.parametrize("binary", [False, True])
def test_there_and_back(binary):
    content = multipart((TEXT, IMAGE, SMIL), "b", binary=binary)
    assert content.content_type.startswith('multipart/related; type="application/smil"; start="<p.smil>"')
    assert flatten(content) == (SMIL, TEXT, IMAGE)
    assert presentation(content, flatten(content)) == SMIL


def test_without_presentation():
    content = multipart((TEXT, IMAGE), "b")
    assert content.content_type.startswith("multipart/mixed")
    assert presentation(content, flatten(content)) is None
    assert flatten(TEXT) == (TEXT,)


@pytest.mark.parametrize("body", [b"a\0b", b"x" * 999, b"a\r\n--b\r\n", b"--b", b"\n--b"])
def test_text_that_does_not_travel_as_lines(body):
    part = part_of("text/plain", body)
    assert transfer(part).get("Content-Transfer-Encoding") == "base64"
    assert flatten(multipart((part,), "b")) == (part,)


def test_nesting_and_numbers_are_bounded():
    content = TEXT
    for level in range(4):
        content = multipart((content,), f"b{level}")
    assert flatten(content) == (TEXT,)
    with pytest.raises(MimeError):
        flatten(multipart((content,), "b9"))
    many = multipart((multipart([TEXT] * 100, "x"), multipart([TEXT] * 100, "x")), "b")
    with pytest.raises(MimeError):
        flatten(many)
    with pytest.raises(MimeError):
        flatten(Part((("Content-Type", "image/gif"), ("Content-Transfer-Encoding", "base64")), b"!"))
