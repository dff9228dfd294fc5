"""An account's address book on the web (versions 13 and later), and changes of it."""

from __future__ import annotations

from opencpm.interworking.msn.proof import Denied, Proof
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.msn.web import Unreachable, Web
from opencpm.protocols.msnp import addressbook, rst
from opencpm.protocols.msnp.addressbook import Book
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.soap import Fault, HttpReply

_EXPIRED = frozenset({"PassportAuthFail", "AuthenticationFailed", "FailedAuthentication", "BadSecurityToken"})


class BookError(Exception):
    """The address book cannot be read or changed. ``code``: the service's own word, if it said one."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class AddressBook:
    """All methods raise BookError."""

    def __init__(self, settings: MsnSettings, web: Web, proof: Proof) -> None:
        self._base, self._web, self._proof = settings.contacts_url, web, proof

    async def read(self) -> tuple[Book, tuple[Contact, ...]]:
        """The book, and its contacts with their memberships."""
        try:
            members = addressbook.memberships(await self._call("FindMembership", addressbook.find_membership()))
            book = addressbook.book(await self._call("ABFindAll", addressbook.find_all()))
        except MsnpError as error:
            raise BookError(f"the address book: {error}", getattr(error, "code", "")) from error
        return book, addressbook.merged(book, members)

    async def add(self, address: str) -> str:
        """Put somebody into the book; their id, empty where the service tells none. Being there already is fine."""
        return await self._change("ABContactAdd", addressbook.add_contact(address), "ContactSave", addressbook.EXISTS)

    async def remove(self, guid: str) -> None:
        await self._change("ABContactDelete", addressbook.delete_contact(guid), "Timer", addressbook.NOT_THERE)

    async def enlist(self, which: Lists, address: str) -> None:
        """Put somebody on AL or BL."""
        body = addressbook.member("AddMember", which, address)
        await self._change("AddMember", body, "BlockUnblock", addressbook.EXISTS)

    async def delist(self, which: Lists, address: str) -> None:
        body = addressbook.member("DeleteMember", which, address)
        await self._change("DeleteMember", body, "BlockUnblock", addressbook.NOT_THERE)

    async def _change(self, operation: str, body: str, scenario: str, fine: frozenset[str]) -> str:
        try:
            return addressbook.new_guid(await self._call(operation, body, scenario))
        except Fault as fault:
            if fault.code in fine:
                return ""
            raise BookError(f"{operation}: {fault}"[:200], fault.code) from fault
        except MsnpError as error:
            raise BookError(f"{operation}: {error}") from error

    async def _call(self, operation: str, body: str, scenario: str = "Initial") -> HttpReply:
        """One call; where the ticket has run out, a second one with another."""
        try:
            reply = await self._once(operation, body, scenario)
            if reply.status != 200 and _expired(reply):
                await self._proof.renew()
                reply = await self._once(operation, body, scenario)
        except (Unreachable, Denied) as error:
            raise BookError(f"the address book cannot be used: {error}") from error
        return reply

    async def _once(self, operation: str, body: str, scenario: str) -> HttpReply:
        token = await self._proof.token(rst.CONTACTS)
        return await self._web.call(addressbook.call(self._base, operation, token, body, scenario))


def _expired(reply: HttpReply) -> bool:
    try:
        addressbook.new_guid(reply)
    except Fault as fault:
        return fault.code in _EXPIRED
    except MsnpError:
        return False
    return False
