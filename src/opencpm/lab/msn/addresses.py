"""The lab's address book and membership services (13 and later)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from opencpm.lab.msn.values import Answered, Asked, fault, soap, text
from opencpm.lab.msn.world import Account, World
from opencpm.protocols.msnp import rst
from opencpm.protocols.msnp.addressbook import NAMESPACE
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.xmlsafe import escape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROLES = {"Allow": Lists.AL, "Block": Lists.BL, "Reverse": Lists.RL, "Pending": Lists.PL}


class AddressService:
    """Both services at one place; the ticket says whose book it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._operations: dict[str, Callable[[Account, Element], Answered]] = {
            "FindMembership": self._memberships,
            "ABFindAll": self._find_all,
            "ABContactAdd": self._add,
            "ABContactDelete": self._delete,
            "AddMember": self._add_member,
            "DeleteMember": self._delete_member,
            "ABGroupAdd": self._add_group,
        }

    def call(self, asked: Asked) -> Answered:
        root = asked.xml()
        operation = self._operations.get(asked.action)
        if root is None or operation is None:
            return fault("soap:Client", "no such operation")
        account = self._world.bearer(text(root, "TicketToken"), (rst.CONTACTS, rst.MESSENGER))
        if account is None:
            return _refused("PassportAuthFail", "")
        if asked.action in self._world.faults.web_faults:
            return _refused(self._world.faults.web_faults[asked.action], account.address)
        return operation(account, root)

    def _memberships(self, account: Account, root: Element) -> Answered:
        roles = ""
        for role, which in _ROLES.items():
            members = "".join(
                f"<Member><MembershipId>{number}</MembershipId><Type>Passport</Type><State>Accepted</State>"
                f"<PassportName>{escape(other)}</PassportName></Member>"
                for number, (other, on) in enumerate(account.lists.items())
                if which in on
            )
            roles += f"<Membership><MemberRole>{role}</MemberRole><Members>{members}</Members></Membership>"
        return _answer("FindMembership", f"<Memberships>{roles}</Memberships>", account)

    def _find_all(self, account: Account, root: Element) -> Answered:
        contacts = "".join(self._contact(account, other, on) for other, on in account.lists.items() if Lists.FL in on)
        groups = "".join(
            f"<Group><groupId>{ident}</groupId><groupInfo><name>{escape(name)}</name></groupInfo></Group>"
            for ident, name in account.groups.items()
        )
        privacy = 1 if account.strangers else 0
        me = (
            "<Contact><contactId>00000000-0000-0000-0000-000000000001</contactId><contactInfo><annotations><Annotation>"
            f"<Name>MSN.IM.BLP</Name><Value>{privacy}</Value></Annotation></annotations><contactType>Me</contactType>"
            f"<passportName>{escape(account.address)}</passportName><displayName>{escape(account.name)}</displayName>"
            "<isMessengerUser>false</isMessengerUser></contactInfo></Contact>"
        )
        return _answer("ABFindAll", f"<groups>{groups}</groups><contacts>{contacts}{me}</contacts>", account)

    def _contact(self, account: Account, other: str, on: Lists) -> str:
        known = self._world.account(other)
        name = escape(known.name if known else other)
        inside = "".join(f"<guid>{group}</guid>" for group in account.grouping.get(other, ()))
        return (
            f"<Contact><contactId>{account.guid(other)}</contactId><contactInfo><contactType>Regular</contactType>"
            f"<quickName>{name}</quickName><passportName>{escape(other)}</passportName><displayName>{name}</displayName>"
            f"<groupIds>{inside}</groupIds><isMessengerUser>true</isMessengerUser></contactInfo></Contact>"
        )

    def _add(self, account: Account, root: Element) -> Answered:
        other = text(root, "passportName").lower()
        if self._world.account(other) is None:
            return _refused("InvalidPassportUser", account.address)
        if Lists.FL in account.lists.get(other, Lists(0)):
            return _refused("ContactAlreadyExists", account.address)
        self._world.put(account, Lists.FL, other)
        return _answer("ABContactAdd", f"<guid>{account.guid(other)}</guid>", account)

    def _delete(self, account: Account, root: Element) -> Answered:
        wanted = text(root, "contactId")
        other = next((who for who, guid in account.guids.items() if guid == wanted), "")
        if Lists.FL not in account.lists.get(other, Lists(0)):
            return _refused("ContactDoesNotExist", account.address)
        self._world.take(account, Lists.FL, other)
        return _answer("ABContactDelete", "", account)

    def _add_member(self, account: Account, root: Element) -> Answered:
        which, other = _ROLES[text(root, "MemberRole")], text(root, "PassportName").lower()
        on = account.lists.get(other, Lists(0))
        if which in on:
            return _refused("MemberAlreadyExists", account.address)
        if which in (Lists.AL, Lists.BL) and on & (Lists.AL | Lists.BL):
            return _refused("MemberOnOppositeList", account.address)
        self._world.put(account, which, other)
        return _answer("AddMember", "", account)

    def _delete_member(self, account: Account, root: Element) -> Answered:
        which, other = _ROLES[text(root, "MemberRole")], text(root, "PassportName").lower()
        if which not in account.lists.get(other, Lists(0)):
            return _refused("MemberDoesNotExist", account.address)
        self._world.take(account, which, other)
        return _answer("DeleteMember", "", account)

    def _add_group(self, account: Account, root: Element) -> Answered:
        return _answer("ABGroupAdd", f"<guid>{account.group(text(root, 'name'))}</guid>", account)


def _answer(operation: str, inside: str, account: Account) -> Answered:
    result = f"<{operation}Result>{inside}</{operation}Result>" if inside else ""
    return soap(f'<{operation}Response xmlns="{NAMESPACE}">{result}</{operation}Response>', account.address)


def _refused(code: str, account: str) -> Answered:
    detail = f'<errorcode xmlns="{NAMESPACE}">{code}</errorcode><errorstring xmlns="{NAMESPACE}">{code}</errorstring>'
    return fault("soap:Client", code, detail, account)._replace(note=code)
