"""Presence and contacts (RFC 6121 §3, RFC 7248): who asks whom, who sees whom, and how they are."""

from __future__ import annotations

import asyncio

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.presence import Presence, note_of
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.roster import ROSTER_LIMIT, ChangeKind, ContactRequest, RosterChange, RosterEntry
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.xmpp import jid
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.jid import Jid
from opencpm.protocols.xmpp.presence import PresenceStanza, write

from .link import Link
from .names import Names
from .outbox import Entry, Outbox
from .talks import Talks
from .ties import Bond, Bonds

ASKING_LIMIT = 200
"""Requests that wait for one person's answer; more are turned away."""

# Of these the last of each way counts: who they may see, and who may see them.
_KEPT = {"subscribe": "sees", "unsubscribe": "sees", "subscribed": "seen", "unsubscribed": "seen"}
_SCHEMES = frozenset({"xmpp"})
_SHOWS = {Availability.BUSY: "dnd", Availability.AWAY: "away"}


class Roster:
    """The presence of everybody, both ways."""

    def __init__(
        self, context: Context, names: Names, link: Link, outbox: Outbox, talks: Talks, approve: str, add: bool
    ) -> None:
        self._context, self._names, self._link, self._talks = context, names, link, talks
        self._outbox = outbox
        self._unsure: dict[tuple[str, str, str], str] = {}  # (ours, theirs, which way) -> what may not have arrived
        self._told = 0
        self._approve, self._add = approve, add
        self._bonds = Bonds(context.store, f"{context.name}.roster")
        self._published: dict[str, Presence] = {}
        self._revisions: dict[str, int] = {}
        self._look_due = False
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._bonds.load()
        self._context.directory.watch(self._directory_changed)

    def __len__(self) -> int:
        return len(self._bonds)

    # -- what is known

    def reach(self, owner: str, target: Address) -> Reach:
        bond = self._bonds.get(owner, target.value)
        if bond is None or not bond.sees:
            return Reach(Availability.UNKNOWN, detail="their status is not shown to this person")
        seen = bond.presence
        return Reach(seen.availability, detail=seen.note[:60])

    # -- the link

    def link_up(self) -> None:
        """Ask how everybody is, and say how ours are: XEP-0114 keeps nothing over a broken link."""
        for (ours, peer, _), kind in tuple(self._unsure.items()):
            self._answer(ours, peer, kind)
        for bond in self._bonds:
            if bond.sees:
                self._send(bond, "probe")
            elif bond.asked:
                self._send(bond, "subscribe")
            if bond.seen and not bond.blocked:
                self._show(bond)
        for owner in self._bonds.owners():
            self._tell_list(owner)
        self._revisions.clear()
        self._look()

    def link_down(self) -> None:
        for bond in self._bonds:
            if bond.known:
                bond.unknown()
                self._tell_presence(bond)

    # -- what they send

    def take(self, stanza: PresenceStanza) -> None:
        try:
            peer, ours = jid.parse(stanza.sender), jid.parse(stanza.to)
        except XmppError:
            return
        if not peer.local or peer.domain == self._names.component or ours.domain != self._names.component:
            return
        owner = self._context.directory.owner_of(self._names.address(ours)) if ours.local else None
        if owner is None:
            self._for_nobody(stanza, peer, ours)
        else:
            self._names.met(ours, peer.bare)
            self._for(owner, stanza, peer, ours)

    def _for_nobody(self, stanza: PresenceStanza, peer: Jid, ours: Jid) -> None:
        """The gateway itself (which everybody may see) or somebody that there is not."""
        if stanza.type == "subscribe":
            self._answer(ours.bare, peer.bare, "unsubscribed" if ours.local else "subscribed")
        if stanza.type in ("subscribe", "probe") and not ours.local:
            self._answer(ours.bare, peer.bare, "")

    def _for(self, owner: Subscriber, stanza: PresenceStanza, peer: Jid, ours: Jid) -> None:
        if stanza.type == "subscribe":
            self._asked(owner, stanza, peer.bare, ours.bare)
            return
        bond = self._bonds.get(owner.id, peer.bare)
        if bond is None:
            if stanza.type == "probe":
                self._answer(ours.bare, peer.bare, "unsubscribed")
            return
        before = bond.tie, bond.asking
        self._of_bond(bond, stanza, peer)
        if (bond.tie, bond.asking) != before:
            self._bonds.keep(bond)
            self._tell_list(owner.id)

    def _of_bond(self, bond: Bond, stanza: PresenceStanza, peer: Jid) -> None:
        match stanza.type:
            case "subscribed":
                bond.sees, bond.asked, bond.refused = bond.sees or bond.asked, False, False
                self._send(bond, "probe")  # of somebody who is away nothing is told unasked
            case "unsubscribed":
                bond.refused = bond.asked
                self._unseen(bond)
            case "unsubscribe":
                bond.seen = bond.asking = False
                self._send(bond, "unsubscribed")
                self._send(bond, "unavailable")
            case "probe" if bond.seen and not bond.blocked:
                self._show(bond)
            case "probe":
                self._send(bond, "unsubscribed")
            case "error":
                self._failed(bond)
            case _ if bond.sees:
                self._is(bond, stanza, peer)

    def _is(self, bond: Bond, stanza: PresenceStanza, peer: Jid) -> None:
        before = bond.presence
        bond.told(peer.resource, stanza)
        if bond.presence != before:
            self._tell_presence(bond)
        if stanza.type == "unavailable":
            self._talks.went_offline(jid.parse(bond.ours), peer, not bond.clients)

    def _unseen(self, bond: Bond) -> None:
        bond.sees = bond.asked = False
        bond.unknown()
        self._tell_presence(bond)

    def _failed(self, bond: Bond) -> None:
        """A request or a probe came back: nobody there, or no server."""
        if bond.asked:
            bond.asked, bond.refused = False, True
        bond.unknown()
        self._tell_presence(bond)

    # -- they ask to see one of ours

    def _asked(self, owner: Subscriber, stanza: PresenceStanza, peer: str, ours: str) -> None:
        who = Address("xmpp", peer)
        if self._approve == "never" or self._context.directory.blocks(owner.id, who) or not self._room(owner.id, peer):
            self._answer(ours, peer, "unsubscribed")
            return
        bond = self._bonds.have(owner.id, peer, ours)
        bond.ours = ours
        bond.name = stanza.nick[:128] or bond.name
        if bond.seen or self._approve == "always":
            self._let_in(bond)
            return
        bond.asking = True
        self._bonds.keep(bond)
        if self._inbox is not None:
            request = ContactRequest(
                owner=owner.id,
                network=self._context.name,
                address=who,
                at=self._context.clock.now(),
                name=bond.name,
                text=note_of(stanza.status),
            )
            self._inbox.contact_asked(request)

    def _room(self, owner: str, peer: str) -> bool:
        bonds = self._bonds.of(owner)
        if self._bonds.get(owner, peer) is not None:
            return True
        return len(bonds) < ROSTER_LIMIT and sum(bond.asking for bond in bonds) < ASKING_LIMIT

    def _let_in(self, bond: Bond) -> None:
        """They see us from now on, and we ask to see them."""
        bond.seen, bond.asking = True, False
        self._send(bond, "subscribed")
        self._show(bond)
        if not bond.sees:
            bond.asked = True
            self._send(bond, "subscribe")
        self._bonds.keep(bond)
        self._tell_list(bond.owner)

    # -- ours ask

    def wrote_to(self, owner: Subscriber, ours: str, peer: str) -> None:
        """Somebody was written to: ask once for their status."""
        if self._add and self._bonds.get(owner.id, peer) is None and self._room(owner.id, peer):
            self._ask(self._bonds.have(owner.id, peer, ours))
            self._tell_list(owner.id)

    def _ask(self, bond: Bond) -> None:
        if not bond.sees:
            bond.asked, bond.refused = True, False
            self._send(bond, "subscribe")
            self._bonds.keep(bond)

    def _change(self, owner: Subscriber, change: RosterChange) -> None:
        """Carry out what the address book wants. Raises SendError."""
        peer = self._names.theirs(change.address)
        bond = self._bonds.get(owner.id, peer)
        match change.kind:
            case ChangeKind.ADD:
                self._ask(bond or self._bonds.have(owner.id, peer, self._names.ours(owner.addresses[0], peer)))
            case ChangeKind.BLOCK:
                bond = bond or self._bonds.have(owner.id, peer, self._names.ours(owner.addresses[0], peer))
                bond.blocked, bond.asking = True, False
                self._send(bond, "unavailable")
                self._bonds.keep(bond)
            case _ if bond is None:
                pass
            case ChangeKind.UNBLOCK:
                bond.blocked = False
                if bond.seen:
                    self._show(bond)
                self._bonds.keep(bond)
            case ChangeKind.ACCEPT:
                self._let_in(bond)
            case ChangeKind.DECLINE:
                bond.asking = False
                self._send(bond, "unsubscribed")
                self._bonds.keep(bond)
            case ChangeKind.REMOVE:
                self._part(bond)

    def _part(self, bond: Bond) -> None:
        self._send(bond, "unsubscribe")
        self._send(bond, "unsubscribed")
        bond.seen = bond.asking = bond.refused = bond.blocked = False
        self._unseen(bond)
        self._bonds.keep(bond)

    # -- what ours publish and want

    def _directory_changed(self) -> None:
        if not self._look_due:
            self._look_due = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Look at those in whose preferences or address book something changed."""
        self._look_due = False
        directory = self._context.directory
        if not self._link.up or self._inbox is None:
            return
        for subscriber in directory.subscribers():
            revision = directory.revision(subscriber.id)
            if self._revisions.get(subscriber.id) != revision:
                self._revisions[subscriber.id] = revision
                self._publish(subscriber)
                self._carry_out(subscriber)

    def _publish(self, subscriber: Subscriber) -> None:
        presence = subscriber.presence
        if self._published.get(subscriber.id) == presence:
            return
        first = subscriber.id not in self._published
        self._published[subscriber.id] = presence
        if not first:
            for bond in self._bonds.of(subscriber.id):
                if bond.seen and not bond.blocked:
                    self._show(bond)

    def _carry_out(self, subscriber: Subscriber) -> None:
        assert self._inbox is not None
        name = self._context.name
        changes = self._context.directory.roster_changes(name, subscriber.id, _SCHEMES)
        for change in changes[:ROSTER_LIMIT]:
            error: SendError | None = None
            try:
                self._change(subscriber, change)
            except SendError as refusal:
                error = refusal
            self._inbox.roster_settled(name, subscriber.id, change, error)
        if changes:
            self._tell_list(subscriber.id)

    # -- small things

    def _tell_list(self, owner: str) -> None:
        if self._inbox is None:
            return
        entries = [
            RosterEntry(address=Address("xmpp", bond.peer), name=bond.name, tie=tie, blocked=bond.blocked)
            for bond in self._bonds.of(owner)
            if (tie := bond.tie) is not None
        ]
        self._inbox.roster(self._context.name, owner, entries)

    def _tell_presence(self, bond: Bond) -> None:
        if self._inbox is not None:
            seen = bond.presence
            told = Presence(seen.availability, note_of(seen.note))
            self._inbox.presence_changed(self._context.name, bond.owner, Address("xmpp", bond.peer), told)

    def _show(self, bond: Bond) -> None:
        """How our person is."""
        subscriber = self._context.directory.subscriber(bond.owner)
        if subscriber is None or subscriber.presence.availability is Availability.OFFLINE:
            self._send(bond, "unavailable")
            return
        presence = subscriber.presence
        stanza = PresenceStanza(
            sender=bond.ours,
            to=bond.peer,
            show=_SHOWS.get(presence.availability, ""),
            status=presence.note,
            nick=subscriber.name,
        )
        self._link.write(write(stanza))

    def _send(self, bond: Bond, kind: str) -> None:
        self._answer(bond.ours, bond.peer, kind)

    def _answer(self, ours: str, peer: str, kind: str) -> None:
        self._link.write(write(PresenceStanza(sender=ours, to=peer, type=kind)))
        if kind in _KEPT:
            self._watch_over(ours, peer, kind)

    def _watch_over(self, ours: str, peer: str, kind: str) -> None:
        """What changes who sees whom is said again after a broken link, unless the server is known to have it."""
        key = ours, peer, _KEPT[kind]
        self._unsure[key] = kind
        self._told += 1

        def taken() -> None:
            if self._unsure.get(key) == kind:
                del self._unsure[key]

        self._outbox.add(Entry(f"{kind} {self._told}", peer, taken=taken))
        self._outbox.confirm()
