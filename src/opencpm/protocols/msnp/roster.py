"""An account's contact lists as the service tells them, and what the lines about them mean."""

from collections.abc import Iterable

from opencpm.protocols.msnp import commands, dialects, events
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.dialects import Listing
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, unquote
from opencpm.protocols.msnp.wire import Pending

MAX_CONTACTS = 5000
MAX_GROUPS = 256


class Roster:
    """Contacts by address and groups (id to name). AL and BL exclude each other, whatever a server says."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.groups: dict[str, str] = {}

    def fill(self, contacts: Iterable[Contact], groups: Iterable[tuple[str, str]]) -> None:
        """Begin with what the address book says."""
        for contact in contacts:
            self.keep(contact)
        for ident, name in groups:
            self.group(ident, name)

    def keep(self, contact: Contact) -> None:
        if contact.address in self.contacts or len(self.contacts) < MAX_CONTACTS:
            self.contacts[contact.address] = contact

    def group(self, ident: str, name: str) -> None:
        if ident and (ident in self.groups or len(self.groups) < MAX_GROUPS):
            self.groups[ident] = name

    def of(self, address: str) -> Contact:
        """The contact, or one that is on no list."""
        return self.contacts.get(address) or Contact(address, "", Lists(0))

    def by_guid(self, guid: str) -> Contact | None:
        return next((contact for contact in self.contacts.values() if guid and contact.guid == guid), None)

    # --- the lists of a sign-on ----------------------------------------------------------------------------------

    def lst(self, frame: Frame, dialect: int) -> None:
        """One LST line. Raises MsnpError."""
        if dialects.listing(dialect) is Listing.BY_LIST and len(frame.args) < 6:
            return  # `LST t BL <version> 0 0`: that list is empty
        shown = commands.contact(frame, dialect)
        known = self.of(shown.address)
        name, groups = shown.name or known.name, shown.groups or known.groups
        self.keep(shown._replace(name=name, groups=groups, lists=shown.lists | known.lists))

    def lsg(self, frame: Frame, dialect: int) -> None:
        """One LSG line: `t <version> <index> <total> <id> <name> 0`, `<id> <name> 0` or `<name> <guid>`."""
        match dialects.listing(dialect):
            case Listing.BY_LIST:
                ident, name = frame.arg(4), frame.arg(5)
            case Listing.BY_CONTACT:
                ident, name = frame.arg(0), frame.arg(1)
            case _:
                ident, name = frame.arg(1), frame.arg(0)
        self.group(ident, unquote(name))

    # --- changes -------------------------------------------------------------------------------------------------

    def listed(self, trid: int, which: Lists, address: str, name: str = "", guid: str = "") -> events.ListChanged:
        """Somebody is on these lists now."""
        known = self.of(address)
        lists = known.lists | which
        if Lists.BL in which:
            lists &= ~Lists.AL
        elif Lists.AL in which:
            lists &= ~Lists.BL
        contact = known._replace(name=name or known.name, lists=lists, guid=guid or known.guid)
        self.keep(contact)
        return events.ListChanged(trid, True, which, contact)

    def unlisted(self, trid: int, which: Lists, address: str) -> events.ListChanged:
        """Somebody is off these lists now."""
        known = self.contacts.pop(address, Contact(address, "", which))
        contact = known._replace(lists=known.lists & ~which)
        if contact.lists:
            self.keep(contact)
        return events.ListChanged(trid, False, which, contact)

    def grouped(self, trid: int, address: str, group: str, inside: bool) -> events.GroupingChanged:
        """Somebody is in this group now, or no longer."""
        known = self.of(address)
        others = tuple(each for each in known.groups if each != group)
        contact = known._replace(groups=(*others, group) if inside else others)
        if contact.lists:
            self.keep(contact)
        return events.GroupingChanged(trid, contact)

    def added(self, frame: Frame, asked: Pending | None) -> events.NotificationEvent:
        """ADD or ADC. Raises MsnpError."""
        which = commands.one_list(frame.arg(1))
        if frame.verb == "ADD":
            address, name, guid = frame.arg(3), unquote(frame.arg(4)), ""
            group = frame.arg(5)
        else:
            keyed, plain = commands.keyed_fields(frame.args[2:])
            guid, name, group = keyed.get("C", ""), unquote(keyed.get("F", "")), plain[-1] if plain else ""
            known = self.by_guid(guid)
            address = keyed.get("N", "") or (known.address if known else "")
        where = commands.address(address or (asked.subject if asked else ""))
        if group and Lists.FL in self.of(where).lists:
            return self.grouped(frame.trid, where, group, True)
        return self.listed(frame.trid, which, where, name, guid)

    def removed(self, frame: Frame, asked: Pending | None, dialect: int) -> events.NotificationEvent:
        """REM. Raises MsnpError."""
        which = commands.one_list(frame.arg(1))
        # `REM t FL <version> <address> [<group>]` up to 9, `REM t FL <guid or address> [<group guid>]` later
        at = 3 if dialects.listing(dialect) in (Listing.BY_LIST, Listing.BY_CONTACT) else 2
        known = self.by_guid(frame.arg(at))
        where = commands.address(
            asked.subject if asked and asked.subject else (known.address if known else frame.arg(at))
        )
        if frame.arg(at + 1):
            return self.grouped(frame.trid, where, frame.arg(at + 1), False)
        return self.unlisted(frame.trid, which, where)

    def group_changed(self, frame: Frame, dialect: int) -> events.GroupChanged:
        """ADG, RMG or REG. Raises MsnpError."""
        old = dialects.listing(dialect) in (Listing.BY_LIST, Listing.BY_CONTACT)
        fields = list(frame.args[2:] if old else frame.args[1:])  # without the version of the lists
        if frame.verb == "RMG":
            ident = fields[0] if fields else ""
            return events.GroupChanged(frame.trid, ident, self.groups.pop(ident, ""), False)
        if len(fields) < 2:
            raise MsnpError(f"{frame.verb} too short")
        first, second = fields[0], fields[1]
        ident, name = (second, first) if frame.verb == "ADG" else (first, second)
        self.group(ident, unquote(name))
        return events.GroupChanged(frame.trid, ident, unquote(name), True)

    def renamed(self, frame: Frame, dialect: int) -> events.ListChanged | None:
        """REA (2 to 9) or SBP (10 to 12) about a contact. Raises MsnpError."""
        if frame.verb == "REA":
            known = self.contacts.get(commands.address(frame.arg(2)))
            name = unquote(frame.arg(3))
        else:
            known, name = self.by_guid(frame.arg(1)), unquote(frame.arg(3))
        if known is None:
            return None
        contact = known._replace(name=name)
        self.keep(contact)
        return events.ListChanged(frame.trid, True, Lists(0), contact)
