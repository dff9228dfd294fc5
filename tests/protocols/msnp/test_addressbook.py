"""Address book and memberships: recorded requests octet for octet, answers rebuilt from the recording, faults."""

import pytest

from opencpm.protocols.msnp import addressbook
from opencpm.protocols.msnp.addressbook import Book
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.soap import Fault, HttpReply, HttpRequest
from tests.protocols.msnp.web import fault, requests, same, soap_reply

FILE = "msnp18-addressbook-group-uum.txt"
TOKEN = "t=eb5b8acb7cf9cab0f49c..FILLER..&p="
BASE = "https://contacts.test"

MEMBERS = soap_reply(
    "<FindMembershipResponse><Membership><MemberRole>Allow</MemberRole><Members>"
    "<Member><Type>Passport</Type><PassportName>Bob@example.com</PassportName></Member>"
    "<Member><Type>Phone</Type><PhoneNumber>1</PhoneNumber></Member></Members></Membership>"
    "<Membership><MemberRole>Block</MemberRole><Members><Member><Email>carol@example.com</Email></Member></Members>"
    "</Membership><Membership><MemberRole>Reverse</MemberRole><Members>"
    "<Member><PassportName>bob@example.com</PassportName></Member></Members></Membership>"
    "<Membership><MemberRole>Contributor</MemberRole></Membership></FindMembershipResponse>"
)
BOOK = soap_reply(
    "<ABFindAllResponse><groups><Group><groupId>g1</groupId><groupInfo><annotations><Annotation>"
    "<Name>MSN.IM.Display</Name><Value>1</Value></Annotation></annotations><name>Friends</name></groupInfo></Group></groups>"
    "<contacts><Contact><contactId>c1</contactId><contactInfo><contactType>Regular</contactType><quickName>B</quickName>"
    "<passportName>bob@example.com</passportName><displayName>Bob</displayName><groupIds><guid>g1</guid></groupIds>"
    "<isMessengerUser>true</isMessengerUser></contactInfo></Contact>"
    "<Contact><contactId>c2</contactId><contactInfo><passportName>carol@example.com</passportName>"
    "<isMessengerUser>false</isMessengerUser></contactInfo></Contact>"
    "<Contact><contactId>c3</contactId><contactInfo><contactType>Regular</contactType></contactInfo></Contact>"
    "<Contact><contactId>me</contactId><contactInfo><annotations><Annotation><Name>MSN.IM.BLP</Name><Value>0</Value>"
    "</Annotation></annotations><contactType>Me</contactType><passportName>alice@example.com</passportName>"
    "<displayName>Alice</displayName></contactInfo></Contact></contacts></ABFindAllResponse>"
)


def recorded(at: int, path: str) -> object:
    return requests(FILE, path)[at]


@pytest.mark.parametrize(
    ("request_", "path", "at"),
    [
        (addressbook.call(BASE, "FindMembership", TOKEN, addressbook.find_membership()), addressbook.SHARING, 0),
        (addressbook.call(BASE, "ABFindAll", TOKEN, addressbook.find_all()), addressbook.BOOK, 0),
        (
            addressbook.call(
                BASE, "ABContactAdd", TOKEN, addressbook.add_contact("carol@example.com"), scenario="ContactSave"
            ),
            addressbook.BOOK,
            1,
        ),
    ],
    ids=["FindMembership", "ABFindAll", "ABContactAdd"],
)
def test_recorded_requests(request_: HttpRequest, path: str, at: int) -> None:
    same(request_, requests(FILE, path)[at])
    assert request_.url == BASE + path


def test_memberships() -> None:
    assert addressbook.memberships(MEMBERS) == {
        "bob@example.com": Lists.AL | Lists.RL,
        "carol@example.com": Lists.BL,
    }


def test_book() -> None:
    assert addressbook.book(BOOK) == Book(
        (
            Contact("bob@example.com", "Bob", Lists.FL, "c1", ("g1",)),
            Contact("carol@example.com", "", Lists(0), "c2"),
        ),
        (("g1", "Friends"),),
        "Alice",
        "BL",
    )


def test_merged_and_blocked_wins() -> None:
    members = {"bob@example.com": Lists.AL | Lists.BL, "dave@example.com": Lists.RL}
    found = {contact.address: contact.lists for contact in addressbook.merged(addressbook.book(BOOK), members)}
    assert found == {
        "bob@example.com": Lists.FL | Lists.BL,
        "carol@example.com": Lists(0),
        "dave@example.com": Lists.RL,
    }


def test_new_guid() -> None:
    assert addressbook.new_guid(soap_reply("<r><guid>22a6029b</guid></r>")) == "22a6029b"


def test_nobody_of_that_name() -> None:
    with pytest.raises(Fault) as refused:
        addressbook.new_guid(fault("soap:Client", "InvalidPassportUser"))
    assert refused.value.code in addressbook.NOBODY


@pytest.mark.parametrize("reply", [HttpReply(404, {}, b""), HttpReply(200, {}, b"\xff"), HttpReply(500, {}, b"<a/>")])
def test_no_answer_worth_reading(reply: HttpReply) -> None:
    with pytest.raises(MsnpError):
        addressbook.book(reply)


def test_names_cannot_break_out_of_their_element() -> None:
    evil = '</name><x a="'
    for body in (addressbook.add_group(evil), addressbook.rename_group("g", evil), addressbook.delete_group(evil)):
        assert evil not in body


@pytest.mark.parametrize("operation", ["AddMember", "DeleteMember"])
def test_members(operation: str) -> None:
    body = addressbook.member(operation, Lists.BL, "bob@example.com")
    assert "<MemberRole>Block</MemberRole>" in body
    assert "<PassportName>bob@example.com</PassportName>" in body
    with pytest.raises(MsnpError):
        addressbook.member(operation, Lists.FL, "bob@example.com")
