"""The contact list: lines of LIST (versions 9 to 14) and records of LIST_15 (15 and 16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opencpm.protocols.ymsg.errors import YmsgError
from opencpm.protocols.ymsg.packet import Packet, decoded

MAX_LIST: Final = 1 << 20  # octets over all packets of a list
MAX_CONTACTS: Final = 5000
NO_GROUP: Final = "(No Group)"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody on the list. ``foreign``: reached through Yahoo on another network; ``pending``: has not answered."""

    user: str
    groups: tuple[str, ...] = ()
    foreign: bool = False
    pending: bool = False
    ignored: bool = False


class Listing:
    """Gathers a list over its packets."""

    def __init__(self) -> None:
        self._lines = bytearray()
        self._ignored = bytearray()

    @property
    def begun(self) -> bool:
        """Whether pieces of a list are here."""
        return bool(self._lines or self._ignored)

    def add(self, packet: Packet) -> None:
        """:raises YmsgError: the list is longer than anybody's can be."""
        self._lines += packet.get(87)
        self._ignored += packet.get(88)
        if len(self._lines) + len(self._ignored) > MAX_LIST:
            raise YmsgError("a contact list without end")

    def contacts(self) -> tuple[Contact, ...]:
        """What was gathered; begins anew."""
        groups: dict[str, list[str]] = {}
        for line in decoded(bytes(self._lines)).split("\n"):
            group, colon, members = line.partition(":")
            for user in members.split(",") if colon else ():
                _enter(groups, user, group)
        ignored = {name.strip().lower() for name in decoded(bytes(self._ignored)).split(",") if name.strip()}
        self._lines.clear()
        self._ignored.clear()
        known = [Contact(user, tuple(names), ignored=user in ignored) for user, names in groups.items()]
        known += [Contact(user, ignored=True) for user in sorted(ignored - groups.keys())]
        return tuple(known[:MAX_CONTACTS])


def _enter(groups: dict[str, list[str]], user: str, group: str) -> None:
    name = user.strip().lower()
    if name:
        groups.setdefault(name, []).extend([group] if group and group != NO_GROUP else [])


class Records:
    """Gathers LIST_15, whose brackets (302 and 303 around, 300 and 301 within) may span packets."""

    def __init__(self) -> None:
        self._group = ""
        self._ignoring = False
        self._current: dict[int, str] = {}
        self._found: dict[str, Contact] = {}

    def add(self, packet: Packet) -> bool:
        """Whether the list is whole now."""
        for key, value in packet.pairs:
            text = decoded(value)
            if key in (302, 300) and text == "320":
                self._ignoring = True
            elif key in (303, 301) and text == "320":
                self._close()
                self._ignoring = False
            elif key == 65:
                self._group = text
            elif key == 7:
                self._close()
                self._current = {7: text}
            elif key in (241, 223) and self._current:
                self._current[key] = text
            elif key == 301:
                self._close()
        last = packet.pairs[-1] if packet.pairs else (303, b"318")
        return last == (303, b"318") or packet.status != 5

    def contacts(self) -> tuple[Contact, ...]:
        self._close()
        found = tuple(self._found.values())[:MAX_CONTACTS]
        self.__init__()  # type: ignore[misc]
        return found

    def _close(self) -> None:
        user = self._current.get(7, "").strip().lower()
        if user and len(self._found) < MAX_CONTACTS:
            before = self._found.get(user)
            groups = before.groups if before is not None else ()
            if self._group and self._group not in groups and not self._ignoring:
                groups += (self._group,)
            foreign = self._current.get(241, "0") not in ("", "0")
            pending = self._current.get(223) == "1"
            self._found[user] = Contact(user, groups, foreign, pending, self._ignoring)
        self._current = {}
