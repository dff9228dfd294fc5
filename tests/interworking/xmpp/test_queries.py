"""Questions about the gateway and about people: each is answered."""

import pytest

from .support import ALICE_JID, rig

GATEWAY = "cpm.xmpp.test"


async def asked(it, to, kind, content):
    it.bob.sign_in()
    ident = it.server.ask(it.bob, to, kind, content)
    await it.bob.until(lambda: ident in it.server.answers)
    return it.server.answers[ident]


def names(answer):
    return {element.tag.rpartition("}")[2] for element in answer.iter()}


def features(answer):
    return {element.get("var") for element in answer.iter() if element.tag.endswith("feature")}


async def test_the_gateway_says_what_it_is():
    async with rig() as it:
        answer = await asked(it, GATEWAY, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        (identity,) = [one for one in answer.iter() if one.tag.endswith("identity")]
        assert (identity.get("category"), identity.get("type")) == ("gateway", "simple")
        assert {"jabber:iq:register", "urn:xmpp:ping"} <= features(answer)


async def test_a_person_says_what_they_can():
    async with rig() as it:
        answer = await asked(it, ALICE_JID, "get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>")
        assert answer[0].get("node") == "n"
        assert {
            "http://jabber.org/protocol/chatstates",
            "urn:xmpp:receipts",
            "urn:xmpp:chat-markers:0",
        } <= features(answer)
        card = await asked(it, ALICE_JID, "get", "<vCard xmlns='vcard-temp'/>")
        assert next(one.text for one in card.iter() if one.tag.endswith("FN")) == "Alice"


async def test_registration_is_not_needed():
    async with rig() as it:
        form = await asked(it, GATEWAY, "get", "<query xmlns='jabber:iq:register'/>")
        assert {"registered", "instructions"} <= names(form)
        assert "username" not in names(form)
        refused = await asked(it, GATEWAY, "set", "<query xmlns='jabber:iq:register'><username>x</username></query>")
        assert "not-allowed" in names(refused)
        removed = await asked(it, GATEWAY, "set", "<query xmlns='jabber:iq:register'><remove/></query>")
        assert removed.get("type") == "result"


@pytest.mark.parametrize(
    ("to", "kind", "content", "told"),
    [
        (GATEWAY, "get", "<ping xmlns='urn:xmpp:ping'/>", "result"),
        (ALICE_JID, "get", "<query xmlns='jabber:iq:version'/>", "result"),
        (GATEWAY, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", "result"),
        (GATEWAY, "get", "<vCard xmlns='vcard-temp'/>", "result"),
        (GATEWAY, "get", "<query xmlns='jabber:iq:last'/>", "service-unavailable"),
        (ALICE_JID, "set", "<vCard xmlns='vcard-temp'/>", "not-allowed"),
        ("nobody@cpm.xmpp.test", "get", "<vCard xmlns='vcard-temp'/>", "service-unavailable"),
        (GATEWAY, "get", "", "bad-request"),
    ],
)
async def test_every_question_is_answered(to, kind, content, told):
    async with rig() as it:
        answer = await asked(it, to, kind, content)
        assert answer.get("type") == ("result" if told == "result" else "error")
        assert told == "result" or told in names(answer)
