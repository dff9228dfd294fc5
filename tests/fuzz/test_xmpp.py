"""Streams, stanzas and addresses from strangers: only XmppError, whatever comes; and what we write can be read."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, fromstring

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.domain.errors import SendError
from opencpm.domain.message import text_part
from opencpm.interworking.xmpp import adapt, reasons
from opencpm.interworking.xmpp.adapt import Terms
from opencpm.protocols.xmpp import iq, jid, message, names, presence, times
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.message import MessageStanza
from opencpm.protocols.xmpp.stream import StreamReader
from tests.interworking.xmpp.support import message as example

HEADER = f"<stream:stream xmlns='{names.COMPONENT}' xmlns:stream='{names.STREAM}' id='1'>".encode()
SPACES = sorted({value for key, value in vars(names).items() if key.isupper()})
LOCALS = ["body", "subject", "thread", "x", "url", "delay", "request", "received", "displayed", "error", "text", "show"]
LOCALS += ["status", "priority", "nick", "active", "gone", "query", "item-not-found", "invite", "replace", "attention"]
PIECES = [b"<", b">", b"/", b"message", b" to='a@b'", b"&lt;", b"&x;", b"<!--", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>"]
PIECES += [b"</stream:stream>", b"<iq/>", "ü".encode(), b"\xff", b"\0", b" ", b"xmlns='", b"<a>", b"</a>"]

texts = st.text(max_size=40)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    """An element with children that extensions of XMPP have, in places where they may not belong."""
    element = Element(f"{{{draw(st.sampled_from(SPACES))}}}{draw(st.sampled_from(LOCALS))}")
    return _filled(draw, element, depth)


def _filled(draw: st.DrawFn, element: Element, depth: int) -> Element:
    for name in draw(
        st.lists(st.sampled_from(["type", "id", "from", "to", "jid", "stamp", "code", "node"]), max_size=4)
    ):
        element.set(name, draw(texts))
    element.text = draw(st.one_of(st.none(), texts))
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = SubElement(element, f"{{{draw(st.sampled_from(SPACES))}}}{draw(st.sampled_from(LOCALS))}")
        _filled(draw, child, depth - 1)
    return element


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PIECES)), max_size=30), st.booleans())
def test_a_stream_of_anything(pieces: list[bytes], opened: bool) -> None:
    reader = StreamReader(max_stanza=500, max_depth=5)
    try:
        if opened:
            reader.feed(HEADER)
        for piece in pieces:
            for found in reader.feed(piece):
                if isinstance(found, Element):
                    _read(found)
    except XmppError:
        pass


@given(elements())
@settings(max_examples=300)
def test_stanzas_of_anything(element: Element) -> None:
    _read(element)


def _read(element: Element) -> None:
    stanza = message.read(element)
    for part in adapt.parts_of(stanza, Terms()):
        assert part.body
    adapt.wants_of(stanza)
    adapt.conversation_of(stanza.thread)
    if stanza.error is not None:
        assert reasons.refused(stanza.error, "bob@xmpp.test").detail
    shown = presence.read(element)
    assert shown is None or -128 <= shown.priority <= 127
    iq.read(element)


@given(texts, texts, texts, texts)
def test_what_we_write_is_well_formed_whatever_is_in_it(body: str, subject: str, thread: str, ident: str) -> None:
    stanza = MessageStanza(sender="a@b", to="c@d", body=body, subject=subject, thread=thread, id=ident, received=ident)
    read = message.read(fromstring(message.write(stanza)))
    plain = "".join(c for c in body if c.isprintable())
    assert all(c in read.body for c in plain)


@given(st.text(max_size=100))
def test_addresses_of_anything(text: str) -> None:
    try:
        known = jid.parse(text)
    except XmppError:
        return
    assert jid.parse(str(known)) == known


@given(st.text(max_size=60))
def test_escaping_of_anything_comes_back(text: str) -> None:
    try:
        local = jid.escape(text)
    except XmppError:
        return
    assert jid.unescape(local) == text
    assert not set(local) & set(" \"&'/:<>@")


@given(st.text(max_size=40))
def test_times_of_anything(text: str) -> None:
    at = times.read(text)
    assert at is None or isinstance(at, float)


@given(st.text(max_size=200))
def test_ids_of_anything(text: str) -> None:
    key = adapt.message_key(text)
    assert key == "" or adapt.stanza_id_of(f"x.{key}") == text.encode("utf-8", "replace").decode()
    assert isinstance(adapt.stanza_id_of(text), str)


@given(st.lists(texts, max_size=3), st.integers(1, 200))
def test_content_of_anything_fits_or_says_why(bodies: list[str], limit: int) -> None:
    said = example(parts=tuple(text_part(body.encode("utf-8", "replace").decode()) for body in bodies))
    terms = Terms(max_text_bytes=limit)
    refusal = adapt.fit(said, terms).error
    try:
        assert len(adapt.text_of(said, terms).encode()) <= limit
        assert refusal is None
    except SendError as error:
        assert refusal is not None and refusal.reason is error.reason  # noqa: PT017, PT018
