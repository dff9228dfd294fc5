"""Changes of our lists and groups, written as the dialect wants them."""

from collections.abc import Sequence

from opencpm.protocols.msnp import commands, dialects, events, membership
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.dialects import Listing
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import quote
from opencpm.protocols.msnp.membership import Member
from opencpm.protocols.msnp.roster import Roster
from opencpm.protocols.msnp.wire import Wire

_OURS = Lists.FL | Lists.AL | Lists.BL


class ListWriter:
    """Each method returns the transaction id under which the answer comes. Raises MsnpError for what the dialect does
    not have: from 13 on groups and names are kept by the address book web service."""

    def __init__(self, wire: Wire, roster: Roster) -> None:
        self._wire, self._roster = wire, roster
        self._kind = Listing.BY_CONTACT
        self._dialect = 0
        self._patience = 0.0
        self._asked: dict[int, tuple[str, Member]] = {}  # ADL and RML are answered without saying what about

    def speak(self, dialect: int, patience: float) -> None:
        """Which dialect to write; `patience` in seconds for each answer."""
        self._dialect, self._kind, self._patience = dialect, dialects.listing(dialect), patience

    def add(self, to: Lists, address: str, name: str, now: float) -> int:
        """Put somebody on lists: one of FL, AL, BL; from dialect 13 on several at once."""
        where = commands.address(address)
        if self._kind is Listing.WEB:
            return self._members("ADL", to, where, name, now)
        verb = "ADC" if self._kind is Listing.KEYED else "ADD"
        label = quote(name or address)
        fields: tuple[str, ...] = (where, label)
        if verb == "ADC":
            fields = (f"N={where}", f"F={label}") if to is Lists.FL else (f"N={where}",)
        return self._ask(verb, self._one(to), *fields, now=now, subject=where)

    def remove(self, off: Lists, address: str, now: float) -> int:
        """Take somebody off lists."""
        where = commands.address(address)
        if self._kind is Listing.WEB:
            return self._members("RML", off, where, "", now)
        return self._ask("REM", self._one(off), self._target(off, where), now=now, subject=where)

    def into_group(self, address: str, group: str, now: float) -> int:
        """Put a contact into a group as well."""
        where = commands.address(address)
        contact = self._grouped(where)
        if self._kind is Listing.KEYED:
            return self._ask("ADC", "FL", f"C={contact.guid}", group, now=now, subject=where)
        return self._ask("ADD", "FL", where, quote(contact.name or where), group, now=now, subject=where)

    def out_of_group(self, address: str, group: str, now: float) -> int:
        """Take a contact out of a group; it stays on the contact list."""
        where = commands.address(address)
        self._grouped(where)
        return self._ask("REM", "FL", self._target(Lists.FL, where), group, now=now, subject=where)

    def add_group(self, name: str, now: float) -> int:
        """Make a group."""
        self._groups()
        return self._ask("ADG", quote(name), *self._zero(), now=now)

    def remove_group(self, group: str, now: float) -> int:
        """Remove a group; its contacts stay."""
        self._groups()
        return self._ask("RMG", group, now=now)

    def rename_group(self, group: str, name: str, now: float) -> int:
        self._groups()
        return self._ask("REG", group, quote(name), *self._zero(), now=now)

    def rename(self, address: str, name: str, now: float) -> int:
        """Call a contact by another name."""
        where = commands.address(address)
        if self._kind is Listing.KEYED:
            return self._ask("SBP", self._grouped(where).guid, "MFN", quote(name), now=now, subject=where)
        if self._kind is Listing.WEB:
            raise MsnpError("names are kept by the address book")
        return self._ask("REA", where, quote(name), now=now, subject=where)

    def strangers(self, allowed: bool, now: float) -> int:
        """Whether people on no list may see and call us (BLP)."""
        return self._ask("BLP", "AL" if allowed else "BL", now=now)

    def look_up(self, address: str, now: float) -> int:
        """Which network an address is on (FQY, dialect 13 and later); `Looked` follows, or `Refused` with 208."""
        if self._kind is not Listing.WEB:
            raise MsnpError("this dialect cannot look up addresses")
        where = commands.address(address)
        (payload,) = membership.build([Member(where)])
        return self._wire.ask("FQY", deadline=now + self._patience, subject=where, payload=payload)

    # --- answers without their question --------------------------------------------------------------------------

    def confirmed(self, trid: int) -> Sequence[events.ListChanged]:
        """`ADL t OK` or `RML t OK`."""
        asked = self._asked.pop(trid, None)
        if asked is None:
            return ()
        verb, member = asked
        if verb == "ADL":
            return [self._roster.listed(trid, member.lists, member.address, member.name)]
        return [self._roster.unlisted(trid, member.lists, member.address)]

    def forget(self, trid: int) -> None:
        self._asked.pop(trid, None)

    # --- writing -------------------------------------------------------------------------------------------------

    def _ask(self, verb: str, *fields: str | int, now: float, subject: str = "") -> int:
        return self._wire.ask(verb, *fields, deadline=now + self._patience, subject=subject)

    def _members(self, verb: str, lists: Lists, where: str, name: str, now: float) -> int:
        if not lists or lists & ~_OURS:
            raise MsnpError("only FL, AL and BL are ours")
        member = Member(where, lists, name=name)
        (payload,) = membership.build([member])
        trid = self._wire.ask(verb, deadline=now + self._patience, subject=where, payload=payload)
        self._asked[trid] = (verb, member)
        return trid

    def _one(self, lists: Lists) -> str:
        if lists not in (Lists.FL, Lists.AL, Lists.BL, Lists.PL):
            raise MsnpError("only one of FL, AL and BL at a time")
        return str(lists.name)

    def _target(self, off: Lists, where: str) -> str:
        known = self._roster.of(where)
        return known.guid if self._kind is Listing.KEYED and off is Lists.FL and known.guid else where

    def _grouped(self, where: str) -> commands.Contact:
        self._groups()
        contact = self._roster.of(where)
        if Lists.FL not in contact.lists or (self._kind is Listing.KEYED and not contact.guid):
            raise MsnpError("not on the contact list")
        return contact

    def _groups(self) -> None:
        if not dialects.has_groups(self._dialect) or self._kind is Listing.WEB:
            raise MsnpError("this dialect keeps no groups")

    def _zero(self) -> tuple[int, ...]:
        return () if self._kind is Listing.KEYED else (0,)
