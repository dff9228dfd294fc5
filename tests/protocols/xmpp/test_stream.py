"""A stream cut into stanzas, whatever the fragments; bounded, and without what XMPP does not allow."""

import pytest

from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.stream import Closed, Opened, StreamReader

HEADER = b"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='i1' from='cpm.xmpp.test'>"  # noqa: E501
STANZAS = "<message to='a@b'><body>Grüße &lt;3 &#x1F600;</body></message> <iq id='1'/><presence/>".encode()


def opened(**bounds):
    reader = StreamReader(**bounds)
    (header,) = reader.feed(HEADER)
    assert header == Opened("{http://etherx.jabber.org/streams}stream", {"id": "i1", "from": "cpm.xmpp.test"})
    return reader


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_any_fragments_give_the_same(size):
    octets = HEADER + STANZAS + b"</stream:stream>"
    reader, found = StreamReader(), []
    for at in range(0, len(octets), size):
        found += reader.feed(octets[at : at + size])
    header, message, iq, presence, closed = found
    assert isinstance(header, Opened)
    assert message.tag == "{jabber:component:accept}message"
    assert message[0].text == "Grüße <3 😀"
    assert (iq.get("id"), presence.tag, closed) == ("1", "{jabber:component:accept}presence", Closed())


@pytest.mark.parametrize(
    ("octets", "condition"),
    [
        (b"<!DOCTYPE lolz [<!ENTITY a 'aaaa'>]><stream/>", "restricted-xml"),
        (b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><x>", "restricted-xml"),
        (b"<?php x ?>", "restricted-xml"),
        (b"<!-- hello -->", "restricted-xml"),
        (b"hello <x>", "not-well-formed"),
        (b"\x00", "unsupported-encoding"),
        ("<?xml version='1.0' encoding='utf-16'?><x>".encode("utf-16"), "unsupported-encoding"),
    ],
)
def test_what_is_no_stream(octets, condition):
    with pytest.raises(XmppError) as error:
        StreamReader().feed(octets)
    assert error.value.condition == condition


@pytest.mark.parametrize(
    ("octets", "condition"),
    [
        (b"<message>&lol;</message>", "not-well-formed"),
        (b"<message></iq>", "not-well-formed"),
        (b"<message>\xff</message>", "not-well-formed"),
        (b"<message>&#0;</message>", "not-well-formed"),
        (b"<message><!-- x --></message>", "restricted-xml"),
        (b"<message><?x y?></message>", "restricted-xml"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>", "not-well-formed"),
        (b"between", "bad-format"),
        (b"<a>" * 100, "policy-violation"),
        (b"<a>" + b"x" * 2000, "policy-violation"),
        (b"<a b='" + b"x" * 2000, "policy-violation"),
        (b"<a>" + b"x" * 2000 + b"</a>", "policy-violation"),
    ],
)
def test_what_breaks_a_stream(octets, condition):
    reader = opened(max_stanza=1000)
    with pytest.raises(XmppError) as error:
        reader.feed(octets)
    assert error.value.condition == condition
    with pytest.raises(XmppError):
        reader.feed(b"<iq/>")


def test_many_stanzas_are_no_large_one():
    reader = opened(max_stanza=1000)
    assert len(reader.feed(b"<iq/>" * 1000)) == 1000
    for _ in range(300):
        assert reader.feed(b" " * 10) == []  # keepalives of hours
    assert len(reader.feed(b"<iq/>")) == 1


def test_nothing_comes_after_the_end():
    reader = opened()
    assert reader.feed(b"</stream:stream>") == [Closed()]
    with pytest.raises(XmppError):
        reader.feed(b"<iq/>")
