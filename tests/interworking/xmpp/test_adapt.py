"""Content rules: text as it is, and what stanzas say."""

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part, text_part
from opencpm.domain.profile import WHOLE
from opencpm.interworking.xmpp import adapt
from opencpm.interworking.xmpp.adapt import Terms
from opencpm.protocols.xmpp.message import MessageStanza

from .support import message

PICTURE = Part("image/png", b"\x89PNG", "cat.png")
TERMS = Terms()


def test_a_text_goes_as_it_is():
    assert adapt.text_of(message("Grüße 😀\nline"), TERMS) == "Grüße 😀\nline"
    assert adapt.text_of(message(parts=(text_part("one"), text_part("two"))), TERMS) == "one\ntwo"
    assert adapt.fit(message("x"), TERMS) == WHOLE


@pytest.mark.parametrize(
    ("said", "terms", "reason"),
    [
        (message(""), TERMS, Reason.NOT_ACCEPTABLE),
        (message(" \n\x07"), TERMS, Reason.NOT_ACCEPTABLE),
        (message("ü" * 501), Terms(max_text_bytes=1000), Reason.TOO_LARGE),
        (message(parts=(PICTURE,)), TERMS, Reason.UNSUPPORTED_MEDIA),
        (message(parts=(text_part("look"), PICTURE)), TERMS, Reason.UNSUPPORTED_MEDIA),
    ],
)
def test_what_cannot_go(said, terms, reason):
    with pytest.raises(SendError) as error:
        adapt.text_of(said, terms)
    assert error.value.reason is reason
    assert adapt.fit(said, terms).error.reason is reason


def stanza(**fields):
    return MessageStanza(sender="bob@xmpp.test/p", to="alice@cpm.xmpp.test", **fields)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (stanza(body="hello"), "hello"),
        (stanza(body="fixed", replaces="m1"), "Correction: fixed"),
        (stanza(attention=True), "(nudge)"),
        (stanza(attention=True, body="wake up"), "wake up"),
        (stanza(body="https://x.test/1", urls=("https://x.test/1",)), "https://x.test/1"),
        (stanza(body="look", urls=("https://x.test/1",)), "look\nhttps://x.test/1"),
        (stanza(urls=("https://x.test/1", "https://x.test/2")), "https://x.test/1\nhttps://x.test/2"),
    ],
)
def test_what_a_person_is_shown(said, text):
    (part,) = adapt.parts_of(said, TERMS)
    assert part.text == text


@pytest.mark.parametrize("said", [stanza(), stanza(state="composing"), stanza(received="m1"), stanza(body=" ")])
def test_what_is_nothing_to_show(said):
    assert adapt.parts_of(said, TERMS) == ()


def test_what_senders_ask_for():
    assert adapt.wants_of(stanza()) == Disposition.NEGATIVE_DELIVERY
    both = adapt.wants_of(stanza(id="m1", requests=True, markable=True))
    assert both == Disposition.NEGATIVE_DELIVERY | Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY
    assert adapt.wants_of(stanza(requests=True, markable=True)) == Disposition.NEGATIVE_DELIVERY  # XEP-0184: no id
    assert adapt.wants_of(stanza(type="headline", id="m1")) == Disposition.NONE


@pytest.mark.parametrize("ident", ["m1", "a<b>&c", "ü😀", "x" * 128, "purple.1"])
def test_a_stanza_id_survives_in_a_message_id(ident):
    key = adapt.message_key(ident)
    assert adapt.conversation_of(key)[:128] == key[:128] or len(key) > 128  # a token: headers can carry it
    assert adapt.stanza_id_of(f"000000000000000000000001.{key}") == ident


def test_ids_that_cannot_be_repeated():
    assert adapt.message_key("x" * 129) == ""
    assert adapt.stanza_id_of("000000000000000000000001") == ""
    assert isinstance(adapt.stanza_id_of("x." + "A" * 5), str)


@pytest.mark.parametrize(("thread", "kept"), [("e0ffe42b28561960c6b1", True), ("a b", False), ("x" * 129, False)])
def test_threads_as_conversation_ids(thread, kept):
    assert adapt.conversation_of(thread) == (thread if kept else "")
