"""Numbers of lines: what to dial, from what number, who calls us; and which protocol a line speaks."""

from __future__ import annotations

from typing import NamedTuple

import phonenumbers

from opencpm.interfaces import KeyedState
from opencpm.protocols.telephone.caller import same_number, significant

from .settings import TrunkSettings


class Dialled(NamedTuple):
    """A call to make: the number as the trunk wants it, and our number as the terminal knows it."""

    number: str
    caller: str


def to_dial(target: str, trunk: TrunkSettings, international_prefix: str) -> Dialled:
    """How to reach a line. As centre the sub-address travels as the last digit of the calling number."""
    if trunk.role == "terminal":
        return Dialled(_written(trunk.centre, international_prefix), _bare(trunk.number))
    digit = trunk.default_digit
    if trunk.subaddresses and (plain := without_subaddress(target)) != target:
        target, digit = plain, target[-1]
    return Dialled(_written(target, international_prefix), _bare(trunk.number) + digit)


def without_subaddress(number: str) -> str:
    """The number without a sub-address: its last digit, where that is one too many for the numbering plan."""
    if number.startswith("+") and not _possible(number) and _possible(number[:-1]):
        return number[:-1]
    return number


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _written(number: str, international_prefix: str) -> str:
    return international_prefix + number[1:] if number.startswith("+") else number


def _bare(number: str) -> str:
    return number.removeprefix("+")


def called_us(trunk: TrunkSettings, called: str) -> tuple[bool, str]:
    """Whether this is our number on the trunk, and the sub-address digit dialled behind it."""
    if same_number(called, trunk.number):
        return True, ""
    if trunk.role == "centre" and len(called) > 1 and same_number(called[:-1], trunk.number):
        return True, called[-1]
    return False, ""


def is_centre(trunk: TrunkSettings, caller: str) -> bool:
    """Whether the centre of a line of ours calls: its number, with or without a sub-address digit."""
    number = significant(caller)
    return any(number.startswith(significant(begin)) for begin in trunk.centre_calls or (trunk.centre,) if begin)


class Protocols:
    """What was learned of each line, kept."""

    def __init__(self, store: KeyedState, room: str) -> None:
        self._store, self._room = store, room

    def of(self, line: str) -> int:
        """The protocol a line spoke last; 0: not known."""
        value = self._store.get_state(self._room, significant(line))
        return int(value) if value in (b"1", b"2") else 0

    def learn(self, line: str, protocol: int) -> None:
        if self.of(line) != protocol:
            self._store.put_state(self._room, significant(line), b"%d" % protocol)

    def allowed(self, trunk: TrunkSettings, line: str) -> tuple[int, ...]:
        """The protocols to speak with a line, the likeliest first."""
        if trunk.protocol != "auto":
            return (int(trunk.protocol),)
        return (2, 1) if self.of(line) == 2 else (1, 2)
