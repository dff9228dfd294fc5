"""The packets that a client sends, by what they are for. Each is (service, status, pairs)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opencpm.protocols.ymsg import services as s
from opencpm.protocols.ymsg.packet import Packet, pairs
from opencpm.protocols.ymsg.services import Service
from opencpm.protocols.ymsg.text import NUDGE

_ITEM: Final = (("302", "319"), ("300", "319"), ("301", "319"), ("303", "319"))


def message(version: int, me: str, peer: str, text: str, ident: str = "") -> Packet:
    """A text; always in UTF-8 and marked so. ``ident`` (version 16) is what the peer's client confirms."""
    status = s.OFFLINE_STATUS if version >= 11 else 0
    mine = pairs((429, ident)) if ident and version >= s.ACKNOWLEDGED else ()
    return Packet(Service.MESSAGE, status, pairs((1, me), (5, peer), (14, text), (97, 1), (63, ";0"), (64, 0)) + mine)


def nudge(version: int, me: str, peer: str) -> Packet:
    return message(version, me, peer, NUDGE)


def typing(version: int, me: str, peer: str, active: bool) -> Packet:
    """To be repeated every 5 to 10 s; it lapses after 10 to 15."""
    who = 1 if version >= s.NEW_STYLE else 4
    return Packet(
        Service.NOTIFY, s.NOTIFYING, pairs((who, me), (5, peer), (13, int(active)), (14, " "), (49, "TYPING"))
    )


def acknowledge(me: str, peer: str, ident: str) -> Packet:
    """Confirm a text of version 16."""
    return Packet(Service.MESSAGE_ACK, 0, pairs((1, me), (5, peer), (302, 430), (430, ident), (303, 430), (450, 0)))


def status(version: int, state: int, note: str = "", away: int = 0) -> list[Packet]:
    """Show a presence. The same number stands in the header and in key 10: servers read one or the other."""
    own = pairs((10, s.CUSTOM if note else state), *(((19, note), (47, away)) if note else ()))
    shown = s.CUSTOM if note else state
    if version >= s.NEW_STYLE:
        if state == s.INVISIBLE:
            return [Packet(Service.VISIBLE_TOGGLE, 0, pairs((13, 2)))]
        update = pairs((10, shown), (19, note), (47, away))
        return [Packet(Service.VISIBLE_TOGGLE, 0, pairs((13, 1))), Packet(Service.STATUS_UPDATE, shown, update)]
    if state == s.AVAILABLE and not note:
        return [Packet(Service.ISBACK, 0, pairs((10, 0)))]
    return [Packet(Service.ISAWAY, shown, own)]


def add(version: int, me: str, peer: str, group: str, text: str) -> Packet:
    if version < s.NEW_STYLE:
        return Packet(Service.FRIENDADD, 0, pairs((1, me), (7, peer), (14, text), (65, group)))
    return Packet(
        Service.FRIENDADD,
        0,
        pairs(
            (14, text),
            (65, group),
            (97, 1),
            (1, me),
            (302, 319),
            (300, 319),
            (7, peer),
            (334, 0),
            (301, 319),
            (303, 319),
        ),
    )


def remove(me: str, peer: str, group: str) -> Packet:
    return Packet(Service.FRIENDREMOVE, 0, pairs((1, me), (7, peer), (65, group)))


def ignore(me: str, peer: str, ignored: bool) -> Packet:
    return Packet(Service.IGNORE, 0, pairs((1, me), (7, peer), (13, 1 if ignored else 2)))


def answer(version: int, me: str, peer: str, accepted: bool, text: str = "") -> Packet | None:
    """To somebody who wants us on their list. Before version 13 they have us already, and only a refusal is said."""
    if version >= s.NEW_STYLE:
        said = ((13, 1), (334, 0), (241, 0)) if accepted else ((13, 2), (14, text), (97, 1), (334, 0))
        return Packet(Service.AUTHORIZATION, 0, pairs((1, me), (5, peer), *said))
    return None if accepted else Packet(Service.CONTACTDENY, 0, pairs((1, me), (7, peer), (14, text)))


# ---------------------------------------------------------------------------------------------- conferences


def invite(me: str, invitees: Sequence[str], room: str, text: str) -> Packet:
    asked = [(52, peer) for peer in invitees]
    return Packet(Service.CONFINVITE, 0, pairs((1, me), (50, me), *asked, (57, room), (58, text), (13, 0)))


def join(me: str, members: Sequence[str], room: str) -> Packet:
    return Packet(Service.CONFLOGON, 0, pairs((1, me), *((3, peer) for peer in members), (57, room)))


def decline(me: str, inviter: str, room: str, text: str) -> Packet:
    return Packet(Service.CONFDECLINE, 0, pairs((1, me), (3, inviter), (57, room), (14, text)))


def leave(me: str, members: Sequence[str], room: str) -> Packet:
    return Packet(Service.CONFLOGOFF, 0, pairs((1, me), *((3, peer) for peer in members), (57, room)))


def room_text(me: str, members: Sequence[str], room: str, text: str) -> Packet:
    to = [(53, peer) for peer in members]
    return Packet(Service.CONFMSG, 0, pairs((1, me), *to, (57, room), (14, text), (97, 1)))


# ------------------------------------------------------------------------------------------------------ files


def refuse_file(me: str, offer: Packet) -> Packet | None:
    """A polite no to an offer; None where the packet is no offer."""
    sender = offer.text(4) or offer.text(1)
    if offer.service == Service.FILETRANSFER_OFFER:
        if offer.number(222) != 1:
            return None
        return Packet(offer.service, 0, pairs((1, me), (5, sender), (265, offer.get(265)), (222, 4)))
    if offer.get(49) != b"FILEXFER" or offer.number(13) != 1:
        return None
    name = offer.get(27)
    return Packet(
        offer.service, 0, pairs((1, me), (5, sender), (4, me), (13, 2), (27, name), (53, name), (49, "FILEXFER"))
    )
