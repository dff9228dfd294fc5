from __future__ import annotations

import pytest

from opencpm.protocols.xmlsafe import XmlError, escape, local_name, namespace, parse_xml, walk


def test_names_and_order():
    root = parse_xml(b'<a xmlns="urn:x"><b><c/></b><d xmlns=""/></a>')
    assert [(local_name(e), depth) for e, depth in walk(root)] == [("a", 1), ("b", 2), ("c", 3), ("d", 2)]
    assert [namespace(e) for e in root] == ["urn:x", ""]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"\xff\xfe",
        b"<a/>" + b" " * 70000,
        b"<a>" * 33 + b"</a>" * 33,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="big5"?><a/>',
    ],
)
def test_refused(body):
    with pytest.raises(XmlError):
        parse_xml(body)


def test_escape_gives_well_formed_xml():
    text = 'a<b>&"c"\x00\x1f\ud800\ufffe\té🙂'
    root = parse_xml(f'<a v="{escape(text)}">{escape(text)}</a>'.encode())
    assert root.text == 'a<b>&"c"\té🙂'
