"""Messages, presence, queries and errors: read, written, and read again."""

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest

from opencpm.protocols.xmpp import iq, message, presence, stanza_error, times
from opencpm.protocols.xmpp.message import MessageStanza
from opencpm.protocols.xmpp.presence import PresenceStanza
from opencpm.protocols.xmpp.stanza_error import StanzaError

FULL = MessageStanza(
    sender="bob@xmpp.test/phone",
    to="alice@cpm.xmpp.test",
    id="m<1>",
    type="chat",
    body="Grüße & <Küsse> \"'😀",
    subject="S & T",
    thread="t1",
    state="active",
    requests=True,
    received="r1",
    markable=True,
    displayed="d1",
    delay=1795330714.0,
    urls=("https://x.test/a?b&c",),
    replaces="m0",
    attention=True,
    private=True,
)


def again(text: str) -> Element:
    return fromstring(f"<s xmlns='jabber:component:accept'>{text}</s>")[0]


def test_a_full_message_comes_back():
    read = message.read(again(message.write(FULL)))
    assert replace(read, private=True) == FULL


@pytest.mark.parametrize("kind", ["normal", "chat", "groupchat", "headline"])
def test_types(kind):
    stanza = MessageStanza(sender="a@b", to="c@d", type=kind, body="x")
    assert message.read(again(message.write(stanza))) == stanza


def test_a_type_that_nobody_knows_is_normal():
    assert message.read(again("<message type='telepathy' from='a@b' to='c@d'/>")).type == "normal"


def test_what_xml_cannot_spell_is_left_out():
    text = message.write(MessageStanza(sender="a@b", to="c@d", body="a\x00b\x07c\ud800d\ufffee\tf\n"))
    assert message.read(again(text)).body == "abcde\tf\n"


def test_the_first_of_two_counts_and_rich_text_is_not_text():
    stanza = message.read(
        again(
            "<message from='a@b' to='c@d'><body>one</body><body xml:lang='de'>two</body>"
            "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>three</body></html>"
            "</message>"
        )
    )
    assert stanza.body == "one"


def test_markers_received_and_acknowledged():
    at = "xmlns='urn:xmpp:chat-markers:0' id='7'"
    assert message.read(again(f"<message from='a@b' to='c@d'><received {at}/></message>")).received == "7"
    assert message.read(again(f"<message from='a@b' to='c@d'><acknowledged {at}/></message>")).displayed == "7"


def test_invitations_to_rooms():
    direct = "<x xmlns='jabber:x:conference' jid='r@rooms.test'/>"
    mediated = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bob@xmpp.test'/></x>"
    assert message.read(again(f"<message from='a@b' to='c@d'>{direct}</message>")).invited_to == "r@rooms.test"
    assert message.read(again(f"<message from='r@rooms.test' to='c@d'>{mediated}</message>")).invited_to == "."


@pytest.mark.parametrize("condition", sorted(stanza_error.TYPES))
def test_errors(condition):
    error = StanzaError(condition, stanza_error.TYPES[condition], "why & how")
    stanza = MessageStanza(sender="a@b", to="c@d", id="1", type="error", error=error)
    assert message.read(again(message.write(stanza))).error == error


def test_an_error_without_a_condition():
    stanza = message.read(again("<message type='error' from='a@b' to='c@d'><error type='wait'/></message>"))
    assert stanza.error == StanzaError("undefined-condition", "wait")
    assert stanza.error.temporary
    assert message.read(again("<message type='error' from='a@b' to='c@d'/>")).error.condition == "undefined-condition"


@pytest.mark.parametrize("kind", sorted(presence.TYPES - {"error"}))
def test_presence(kind):
    stanza = PresenceStanza(
        sender="a@b/c", to="d@e", type=kind, show="dnd", status="at <work>", priority=-5, nick="A & B"
    )
    assert presence.read(again(presence.write(stanza))) == stanza


def test_presence_that_is_odd():
    assert presence.read(again("<presence type='telepathy'/>")) is None
    odd = presence.read(again("<presence from='a@b' to='c@d'><show>zzz</show><priority>999</priority></presence>"))
    assert (odd.show, odd.priority) == ("", 127)
    none = presence.read(again("<presence from='a@b' to='c@d'><priority>high</priority></presence>"))
    assert none.priority == 0


def test_queries_and_answers():
    asked = iq.read(again("<iq type='get' id='1' from='b@x/p' to='c'><query xmlns='jabber:iq:version' node='n'/></iq>"))
    assert (asked.type, asked.space, asked.query, asked.node) == ("get", "jabber:iq:version", "query", "n")
    answer = iq.read(again(iq.result(asked, "<query xmlns='jabber:iq:version'/>")))
    assert (answer.type, answer.id, answer.sender, answer.to) == ("result", "1", "c", "b@x/p")
    assert iq.read(again(iq.refusal(asked, StanzaError("not-allowed")))).element is None


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-11-23T07:18:34Z", 1795418314.0),
        ("2026-11-23T08:18:34.5+01:00", 1795418314.5),
        ("20261123T07:18:34", 1795418314.0),
        ("2026-11-23T07:18:34", None),
        ("yesterday", None),
        ("", None),
        ("9999-99-99T00:00:00Z", None),
    ],
)
def test_times(stamp, at):
    assert times.read(stamp) == at
    if at is not None:
        assert times.read(times.write(at)) == at
