"""Our people as JIDs and back (RFC 7247 §5)."""

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.subscriber import Subscriber
from opencpm.interworking.xmpp.names import Names
from opencpm.protocols.xmpp import jid

from .support import ALICE, ALICE_TEL, Directory

PEER = "bob@xmpp.test"
DARTAGNAN = Subscriber(id="charles", name="Charles", addresses=(Address("sip", "d'artagnan@cpm.test"),))
HUNDRED = Subscriber(id="100", name="Desk", addresses=(Address("sip", "100@cpm.test"),))


def names(domain=""):
    return Names("cpm.xmpp.test", domain, Directory(DARTAGNAN, HUNDRED))


@pytest.mark.parametrize(
    ("domain", "address", "local"),
    [
        ("", ALICE, "alice"),
        ("", Address("sip", "100@cpm.test"), "100"),
        ("", Address("sip", "d'artagnan@cpm.test"), r"d\27artagnan\40cpm.test"),
        ("cpm.test", Address("sip", "d'artagnan@cpm.test"), r"d\27artagnan"),
        ("cpm.test", Address("sip", "carol@else.test"), r"carol\40else.test"),
        ("", Address("sip", "carol@else.test"), r"carol\40else.test"),
        ("", Address("tel", "+12025550177"), "+12025550177"),
    ],
)
def test_there_and_back(domain, address, local):
    known = names(domain)
    ours = known.ours(address, PEER)
    assert ours == f"{local}@cpm.xmpp.test"
    assert known.address(jid.parse(ours)) == address


def test_a_person_is_one_contact_whatever_they_write_from():
    known = names()
    assert known.ours(ALICE_TEL, PEER) == "alice@cpm.xmpp.test"
    assert known.met(jid.parse("+12025550100@cpm.xmpp.test"), PEER) == ALICE_TEL
    assert known.ours(ALICE, PEER) == "+12025550100@cpm.xmpp.test"  # whom they know
    assert known.ours(ALICE, "carol@xmpp.test") == "alice@cpm.xmpp.test"


def test_old_gateways_and_nobody():
    known = names()
    assert known.address(jid.parse("carol%else.test@cpm.xmpp.test")) == Address("sip", "carol@else.test")
    assert known.address(jid.parse("nobody@cpm.xmpp.test")) == Address("sip", "nobody@cpm.xmpp.test")
    assert names("cpm.test").address(jid.parse("nobody@cpm.xmpp.test")) == Address("sip", "nobody@cpm.test")
    assert known.address(jid.parse("12345@cpm.xmpp.test")) == Address("tel", "12345")


@pytest.mark.parametrize("address", [Address("msn", "carol@msn.test"), Address("sip", " x@else.test")])
def test_who_cannot_be_shown(address):
    with pytest.raises(SendError) as error:
        names().ours(address, PEER)
    assert error.value.reason is Reason.INVALID_SOURCE


def test_xmpp_users():
    assert names().theirs(Address("xmpp", "Bob@XMPP.test")) == PEER
    for value in ("xmpp.test", "bob@xmpp.test/phone", "alice@cpm.xmpp.test", "b b@xmpp.test", "@", ""):
        with pytest.raises(SendError) as error:
            names().theirs(Address("xmpp", value))
        assert error.value.reason is Reason.UNKNOWN_ADDRESS
