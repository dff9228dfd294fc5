"""Packets of a standing connection, read into events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opencpm.protocols.ymsg import events as e
from opencpm.protocols.ymsg import requests, services
from opencpm.protocols.ymsg.contacts import Contact, Listing, Records
from opencpm.protocols.ymsg.packet import ERROR, Packet
from opencpm.protocols.ymsg.presence import presences
from opencpm.protocols.ymsg.services import Service
from opencpm.protocols.ymsg.text import is_nudge, plain

Put = Callable[[Packet], None]

_MAX_URL = 2000
_MAX_ROOM = 1000  # people named in one packet of a conference


class Reader:
    """What packets mean, one by one; remembers what spans several. ``put`` sends what politeness asks for."""

    def __init__(self, user: str, version: int) -> None:
        self._user, self._version = user, version
        self._listing, self._records = Listing(), Records()
        self._signed_in = False

    def read(self, packet: Packet, put: Put) -> Sequence[e.Event]:
        """:raises YmsgError: a list without end."""
        handler = _HANDLERS.get(packet.service)
        return handler(self, packet, put) if handler is not None else ()

    # -- lists and presence

    def _list(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        if self._version >= services.RECORDS:
            return ()  # own identities and cookies; the contacts come as LIST_15
        if self._signed_in and not self._listing.begun and not any(key in (87, 88) for key, _ in packet.pairs):
            return ()  # new cookies only
        self._listing.add(packet)
        if packet.status == services.CONTINUED:
            return ()
        return [self._listed(self._listing.contacts())]

    def _list_15(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        if not self._records.add(packet):
            return ()
        return [self._listed(self._records.contacts())]

    def _listed(self, contacts: tuple[Contact, ...]) -> e.Event:
        first, self._signed_in = not self._signed_in, True
        return e.SignedIn(contacts) if first else e.ListChanged(contacts)

    def _presence(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        seen = tuple(p for p in presences(packet) if p.user != self._user)
        whole = packet.service == Service.LOGON and packet.status == 0
        return [e.PresenceChanged(seen, whole)] if seen or whole else ()

    # -- texts

    def _message(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        if packet.status == ERROR:
            return [e.TextFailed(_peer(packet), packet.text(14) or packet.text(16))]
        if packet.status == services.CONTINUED and packet.get(31):
            stored = [event for record in packet.records(31) for event in self._text(record, stored=True)]
            # they may come out of order; their time has whole seconds only, so the order within one is as it came
            return sorted(stored, key=lambda event: event.sent_at if isinstance(event, e.TextReceived) else 0.0)
        return self._text(packet, stored=packet.status == services.CONTINUED)

    def _text(self, packet: Packet, *, stored: bool) -> Sequence[e.Event]:
        sender, said = _peer(packet), packet.text(14) or packet.text(16)
        if not sender or sender == self._user or not said:
            return ()
        if is_nudge(said):
            return [e.NudgeReceived(sender)]
        sent_at = _time(packet) if stored else 0.0
        return [e.TextReceived(sender, plain(said), sent_at, packet.text(429), stored)]

    def _acknowledged(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        ident = packet.text(430)
        return [e.TextAcknowledged(_peer(packet), ident)] if ident else ()

    def _notify(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        sender = _peer(packet)
        if packet.get(49).upper() != b"TYPING" or not sender:
            return ()
        return [e.Typing(sender, packet.number(13) == 1)]

    def _sysmessage(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        said = packet.text(14) or packet.text(16)
        return [e.Notice(plain(said))] if said else ()

    # -- the list

    def _contact_new(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        who = packet.text(3).strip().lower()
        if packet.status == services.WANTS_TO_ADD and who:
            return [e.ContactAsked(who, packet.text(14), False)]
        if packet.status == services.REFUSED and who:
            return [e.ContactRefused(who, packet.text(14))]
        return self._presence(packet, _)

    def _authorization(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        who = packet.text(4).strip().lower()
        if not who:
            return ()
        if packet.status == services.WANTS_TO_ADD:
            return [e.ContactAsked(who, packet.text(14), True)]
        return [e.ContactRefused(who, packet.text(14))] if packet.number(13) == 2 else ()

    def _settled(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        who = (packet.text(7) or packet.text(0)).strip().lower()
        return [e.ContactSettled(_VERBS[packet.service], who, packet.number(66))] if who else ()

    # -- conferences

    def _invited(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        room, inviter = packet.text(57), packet.text(50).strip().lower()
        if not room or not inviter:
            return ()
        named = [name for key in (52, 53, 51) for value in packet.all(key) for name in value.split(",")]
        members = dict.fromkeys(name.strip().lower() for name in named[:_MAX_ROOM] if name.strip())
        others = tuple(name for name in members if name not in (self._user, inviter))
        return [e.Invited(room, inviter, others, packet.text(58))]

    def _joined(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        return [e.Joined(packet.text(57), who) for who in _people(packet, 53)]

    def _declined(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        return [e.Declined(packet.text(57), who, packet.text(14)) for who in _people(packet, 54)]

    def _left(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        return [e.Left(packet.text(57), who) for who in _people(packet, 56)]

    def _room_text(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        sender, said = packet.text(3).strip().lower(), packet.text(14)
        return [e.RoomText(packet.text(57), sender, plain(said))] if sender and said else ()

    # -- what is not taken

    def _file(self, packet: Packet, put: Put) -> Sequence[e.Event]:
        refusal = requests.refuse_file(self._user, packet)
        if refusal is None:
            return ()
        put(refusal)
        return [e.FileOffered(_peer(packet), packet.text(27))]

    def _file_link(self, packet: Packet, _: Put) -> Sequence[e.Event]:
        url, sender = packet.text(20), _peer(packet)
        plainly = url.startswith(("http://", "https://")) and len(url) <= _MAX_URL and url.isascii()
        if not sender or sender == self._user or not plainly or any(c in url for c in ' <>"\\^`{|}'):
            return ()
        return [e.FileLinked(sender, url, plain(packet.text(14)))] if url.isprintable() else ()


def _peer(packet: Packet) -> str:
    return (packet.text(4) or packet.text(1)).strip().lower()


def _people(packet: Packet, key: int) -> list[str]:
    return [name.strip().lower() for name in packet.all(key)[:_MAX_ROOM] if name.strip()]


def _time(packet: Packet) -> float:
    whole = packet.text(15).partition(".")[0]
    return float(whole) if whole.isdigit() and len(whole) <= 10 else 0.0


_VERBS: dict[int, str] = {Service.FRIENDADD: "add", Service.FRIENDREMOVE: "remove", Service.IGNORE: "ignore"}

_HANDLERS: dict[int, Callable[[Reader, Packet, Put], Sequence[e.Event]]] = {
    Service.LIST: Reader._list,
    Service.LIST_15: Reader._list_15,
    Service.LOGON: Reader._presence,
    Service.LOGOFF: Reader._presence,
    Service.ISAWAY: Reader._presence,
    Service.ISBACK: Reader._presence,
    Service.STATUS_UPDATE: Reader._presence,
    Service.STATUS_15: Reader._presence,
    Service.MESSAGE: Reader._message,
    Service.MESSAGE_ACK: Reader._acknowledged,
    Service.NOTIFY: Reader._notify,
    Service.SYSMESSAGE: Reader._sysmessage,
    Service.CONTACTNEW: Reader._contact_new,
    Service.AUTHORIZATION: Reader._authorization,
    Service.FRIENDADD: Reader._settled,
    Service.FRIENDREMOVE: Reader._settled,
    Service.IGNORE: Reader._settled,
    Service.CONFINVITE: Reader._invited,
    Service.CONFADDINVITE: Reader._invited,
    Service.CONFLOGON: Reader._joined,
    Service.CONFDECLINE: Reader._declined,
    Service.CONFLOGOFF: Reader._left,
    Service.CONFMSG: Reader._room_text,
    Service.FILETRANSFER: Reader._file_link,
    Service.P2PFILEXFER: Reader._file,
    Service.FILETRANSFER_OFFER: Reader._file,
}
