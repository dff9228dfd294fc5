"""Address book and memberships, the web services that keep the lists from dialect 13 on: requests and answers.

Each function that makes a request returns its envelope; `call` makes the HTTP request of it. Answers are read by
`memberships`, `book` and `new_guid`; refusals are `soap.Fault` with the service's own code.
"""

from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.msnp import commands, soap
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import escape, local_name, walk

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "http://www.msn.com/webservices/AddressBook"
BOOK = "/abservice/abservice.asmx"
SHARING = "/abservice/SharingService.asmx"
APPLICATION = "CFE80F9D-180F-4399-82AB-413F33A1FA11"
EXISTS = frozenset({"ContactAlreadyExists", "MemberAlreadyExists"})
NOT_THERE = frozenset({"MemberDoesNotExist", "ContactDoesNotExist"})
NOBODY = frozenset({"InvalidPassportUser", "BadEmailArgument"})

_NO_BOOK = "00000000-0000-0000-0000-000000000000"
_EVER = "0001-01-01T00:00:00.0000000-08:00"
_MAX_CONTACTS = 5000
_ROLES = {"Allow": Lists.AL, "Block": Lists.BL, "Reverse": Lists.RL, "Pending": Lists.PL}
_NAMES = {lists: role for role, lists in _ROLES.items()}


class Book(NamedTuple):
    """An address book: contacts (with FL where they are messenger contacts), groups, and what `Me` says."""

    contacts: tuple[Contact, ...]
    groups: tuple[tuple[str, str], ...]
    name: str  # what the account calls itself
    privacy: str  # AL: strangers may see and call; BL: they may not


def call(base: str, operation: str, token: str, body: str, scenario: str = "Initial") -> soap.HttpRequest:
    """The HTTP request of an operation; `base` is where the services live ("https://contacts.example.com")."""
    header = (
        f'<ABApplicationHeader xmlns="{NAMESPACE}"><ApplicationId>{APPLICATION}</ApplicationId>'
        f"<IsMigration>false</IsMigration><PartnerScenario>{scenario}</PartnerScenario></ABApplicationHeader>"
        f'<ABAuthHeader xmlns="{NAMESPACE}"><TicketToken>{escape(token)}</TicketToken>'
        "<ManagedGroupRequest>false</ManagedGroupRequest></ABAuthHeader>"
    )
    path = SHARING if operation in ("FindMembership", "AddMember", "DeleteMember") else BOOK
    return soap.post(base.rstrip("/") + path, soap.envelope(header, body), f"{NAMESPACE}/{operation}")


# --- requests ----------------------------------------------------------------------------------------------------


def find_membership() -> str:
    return _operation(
        "FindMembership",
        "<serviceFilter><Types><ServiceType>Messenger</ServiceType></Types></serviceFilter><View>Full</View>"
        f"<deltasOnly>false</deltasOnly><lastChange>{_EVER}</lastChange>",
    )


def find_all() -> str:
    return _operation(
        "ABFindAll",
        f"<abId>{_NO_BOOK}</abId><abView>Full</abView><deltasOnly>false</deltasOnly><lastChange>{_EVER}</lastChange>",
    )


def add_contact(address: str) -> str:
    return _operation(
        "ABContactAdd",
        f'<abId>{_NO_BOOK}</abId><contacts><Contact xmlns="{NAMESPACE}"><contactInfo>'
        f"<contactType>LivePending</contactType><passportName>{escape(address)}</passportName>"
        "<isMessengerUser>true</isMessengerUser></contactInfo></Contact></contacts>"
        "<options><EnableAllowListManagement>true</EnableAllowListManagement></options>",
    )


def delete_contact(guid: str) -> str:
    inside = f"<abId>{_NO_BOOK}</abId><contacts><Contact><contactId>{escape(guid)}</contactId></Contact></contacts>"
    return _operation("ABContactDelete", inside)


def member(operation: str, which: Lists, address: str) -> str:
    """AddMember or DeleteMember; `which` is one of AL, BL, RL, PL. Raises MsnpError."""
    if which not in _NAMES:
        raise MsnpError("no membership is kept for this list")
    return _operation(
        operation,
        "<serviceHandle><Id>0</Id><Type>Messenger</Type><ForeignId></ForeignId></serviceHandle><memberships><Membership>"
        f"<MemberRole>{_NAMES[which]}</MemberRole><Members>"
        '<Member xsi:type="PassportMember" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<Type>Passport</Type><State>Accepted</State><PassportName>{escape(address)}</PassportName>"
        "</Member></Members></Membership></memberships>",
    )


def add_group(name: str) -> str:
    return _operation(
        "ABGroupAdd",
        f"<abId>{_NO_BOOK}</abId><groupAddOptions><fRenameOnMsgrConflict>false</fRenameOnMsgrConflict></groupAddOptions>"
        f"<groupInfo><GroupInfo><name>{escape(name)}</name><groupType>C8529CE2-6EAD-434d-881F-341E17DB3FF8</groupType>"
        "<fMessenger>false</fMessenger></GroupInfo></groupInfo>",
    )


def delete_group(group: str) -> str:
    return _operation("ABGroupDelete", f"<abId>{_NO_BOOK}</abId>{_filter(group)}")


def rename_group(group: str, name: str) -> str:
    return _operation(
        "ABGroupUpdate",
        f"<abId>{_NO_BOOK}</abId><groups><Group><groupId>{escape(group)}</groupId><groupInfo><name>{escape(name)}</name>"
        "</groupInfo><propertiesChanged>GroupName</propertiesChanged></Group></groups>",
    )


def group_contact(operation: str, group: str, guid: str) -> str:
    """ABGroupContactAdd or ABGroupContactDelete."""
    contact = f"<contacts><Contact><contactId>{escape(guid)}</contactId></Contact></contacts>"
    return _operation(operation, f"<abId>{_NO_BOOK}</abId>{_filter(group)}{contact}")


def _filter(group: str) -> str:
    return f"<groupFilter><groupIds><guid>{escape(group)}</guid></groupIds></groupFilter>"


def _operation(name: str, inside: str) -> str:
    return f'<{name} xmlns="{NAMESPACE}">{inside}</{name}>'


# --- answers -----------------------------------------------------------------------------------------------------


def memberships(reply: soap.HttpReply) -> dict[str, Lists]:
    """Who is on AL, BL, RL and PL. Raises soap.Fault or MsnpError."""
    found: dict[str, Lists] = {}
    for membership in soap.every(soap.read(reply), "Membership"):
        role = _ROLES.get(soap.text(membership, "MemberRole"))
        if role is None:
            continue
        for each in soap.every(membership, "Member"):
            address = _address(soap.child(each, "PassportName") or soap.child(each, "Email"))
            if address and (address in found or len(found) < _MAX_CONTACTS):
                found[address] = found.get(address, Lists(0)) | role
    return found


def book(reply: soap.HttpReply) -> Book:
    """The address book. Raises soap.Fault or MsnpError."""
    root = soap.read(reply)
    contacts: list[Contact] = []
    name, privacy = "", "AL"
    for element in soap.every(root, "Contact"):
        if soap.text(element, "contactType") == "Me":
            name, privacy = soap.text(element, "displayName"), _privacy(element)
            continue
        contact = _contact(element)
        if contact is not None and len(contacts) < _MAX_CONTACTS:
            contacts.append(contact)
    groups = [(soap.text(each, "groupId"), soap.text(each, "name")) for each in soap.every(root, "Group")]
    return Book(tuple(contacts), tuple((ident, called) for ident, called in groups[:256] if ident), name, privacy)


def new_guid(reply: soap.HttpReply) -> str:
    """The id of what was added, empty when the service tells none. Raises soap.Fault or MsnpError."""
    return soap.text(soap.read(reply), "guid")


def merged(book: Book, members: dict[str, Lists]) -> tuple[Contact, ...]:
    """Contacts of the book with their memberships, and those that have only memberships. On AL and BL at once: BL."""
    known = {contact.address: contact for contact in book.contacts}
    for address, lists in members.items():
        contact = known.get(address) or Contact(address, "", Lists(0))
        both = contact.lists | lists
        known[address] = contact._replace(lists=both & ~Lists.AL if Lists.BL in both else both)
    return tuple(known.values())


def _contact(element: "Element") -> Contact | None:
    address = _address(soap.text(element, "passportName"))
    if not address:
        return None
    messenger = soap.text(element, "isMessengerUser").lower() == "true"
    groups = soap.first(element, "groupIds")
    inside = tuple((guid.text or "").strip() for guid in groups) if groups is not None else ()
    name = soap.text(element, "displayName") or soap.text(element, "quickName")
    lists = Lists.FL if messenger else Lists(0)
    return Contact(address, name[:256], lists, soap.text(element, "contactId"), inside[:64])


def _privacy(me: "Element") -> str:
    """The annotation MSN.IM.BLP: 0 keeps strangers out."""
    for annotation, _ in walk(me):
        if local_name(annotation) == "Annotation" and soap.child(annotation, "Name") == "MSN.IM.BLP":
            return "BL" if soap.child(annotation, "Value") == "0" else "AL"
    return "AL"


def _address(text: str) -> str:
    try:
        return commands.address(text)
    except MsnpError:
        return ""
