"""Addresses, and the escaping of XEP-0106 with its own examples and those of the sheet."""

import pytest

from opencpm.protocols.xmpp import jid
from opencpm.protocols.xmpp.errors import XmppError


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("bob@example.com", r"bob\40example.com"),
        ("d'artagnan", r"d\27artagnan"),
        ("a b/c:d", r"a\20b\2fc\3ad"),
        ("back\\slash", r"back\slash"),
        (r"x\40y", r"x\5c40y"),
        ('call me "ishmael"', r"call\20me\20\22ishmael\22"),
        ("at&t guy", r"at\26t\20guy"),
        ("/.fanboy", r"\2f.fanboy"),
        ("::foo::", r"\3a\3afoo\3a\3a"),
        ("<foo>", r"\3cfoo\3e"),
        (r"c:\5commas", r"c\3a\5c5commas"),
        ("+12025550100", "+12025550100"),
        ("fü", "fü"),
    ],
)
def test_escaping_there_and_back(text, local):
    assert jid.escape(text) == local
    assert jid.unescape(local) == text
    assert jid.parse(f"{local}@cpm.xmpp.test").local == local


@pytest.mark.parametrize("text", ["", " bob", "bob "])
def test_what_cannot_be_escaped(text):
    with pytest.raises(XmppError):
        jid.escape(text)


def test_case_is_folded_but_in_resources():
    assert jid.parse("Bob@XMPP.test/Phone") == jid.Jid("bob", "xmpp.test", "Phone")
    assert jid.parse("Bob@XMPP.test/Phone").bare == "bob@xmpp.test"
    assert str(jid.parse("BOB@xmpp.test/a/b@c")) == "bob@xmpp.test/a/b@c"
    assert jid.parse("XMPP.test").bare == "xmpp.test"


@pytest.mark.parametrize(
    "text", ["", "@x", "a@", "a@b@c", "a b@c", "a@b/", "x" * 4000, "bob@x/\x07", "a@" + "x" * 2000]
)
def test_what_is_no_address(text):
    with pytest.raises(XmppError):
        jid.parse(text)
