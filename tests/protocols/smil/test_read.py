from __future__ import annotations

import pytest

from opencpm.protocols.smil import SmilError, parse

from .documents import RECORDED

LAYOUT = (
    '<head><layout><root-layout width="176px" height="200"/><region id="Image" top="0%" /><region id="Text" top="50%"/>'
    '<region xml:id="High" top="10px"/></layout></head>'
)


def order(body: str, layout: str = LAYOUT) -> list[list[str]]:
    presentation = parse(f"<smil>{layout}<body>{body}</body></smil>".encode())
    return [[item.src for item in page.items] for page in presentation.pages]


@pytest.mark.parametrize("document", RECORDED)
def test_recorded_presentations(document):
    presentation = parse(document)
    assert [[(item.kind, item.src) for item in page.items] for page in presentation.pages] == [
        [("img", "dot.gif"), ("text", "t.txt")]
    ]
    assert (presentation.width, presentation.height) == (160, 120)


def test_regions_say_what_is_read_first():
    assert order('<par><text src="t" region="Text"/><img src="i" region="Image"/></par>') == [["i", "t"]]
    assert order('<par><img src="i" region="Text"/><text src="t" region="Image"/></par>') == [["t", "i"]]
    assert order('<par><img src="i" region="Text"/><text src="t" region="High"/></par>') == [["t", "i"]]


def test_without_regions_media_come_first():
    assert order('<par><text src="t"/><img src="i"/><audio src="a"/></par>') == [["i", "a", "t"]]
    assert order('<par><text src="t" region="Image"/><img src="i" region="?"/></par>') == [["i", "t"]]


def test_slides():
    nested = (
        '<par><img src="1"/><par><seq><text src="2"/></seq></par></par><seq><img src="3"/></seq><par/><text src="4"/>'
    )
    assert order(nested) == [["1", "2"], ["3"], ["4"]]
    assert order('<seq><par><img src="1"/></par><par><img src="2"/></par></seq>') == [["1"], ["2"]]
    assert order("<par><img/><unknown src='x'/></par>") == []


@pytest.mark.parametrize(
    "document",
    [
        b'\r\n <?xml version="1.0"?>\n<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0//EN"\n "http://x.test/SMIL20.dtd">'
        b'<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><par><img src="i"/></par></body></smil>',
        b'<SMIL><BODY><PAR><IMG src="i"/></PAR></BODY></SMIL>\0\0junk <',
        b'\xef\xbb\xbf<s:smil xmlns:s="urn:s"><s:body><s:img src=" i "/></s:body></s:smil>  #\n',
    ],
)
def test_documents_as_phones_write_them(document):
    assert [[item.src for item in page.items] for page in parse(document).pages] == [["i"]]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html/>",
        b"<smil><body></smil>",
        b'<!DOCTYPE smil [<!ENTITY a "b">]><smil>&a;</smil>',
        b"<smil>" + b"<par>" * 40 + b"</par>" * 40 + b"</smil>",
        b"<smil>" + b'<img src="a"/>' * 1001 + b"</smil>",
        b"<smil>" + b" " * (256 << 10) + b"</smil>",
    ],
)
def test_refused(document):
    with pytest.raises(SmilError):
        parse(document)


def test_odd_lengths():
    odd = '<head><layout><root-layout width="x" height="-5"/><region id="a" top="1e9"/><region/></layout></head>'
    assert order('<par><img src="i" region="a"/></par>', odd) == [["i"]]
