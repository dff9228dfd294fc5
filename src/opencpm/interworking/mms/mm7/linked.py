"""LinkedIDs: what an answer has to name, by the phone that wrote and the person it wrote to."""

from __future__ import annotations

from collections import OrderedDict

from opencpm.domain.address import Address
from opencpm.interfaces import Directory, KeyedState

_REMEMBERED = 50_000


class Linked:
    """The LinkedID of the last message of a phone to a person; durable, for ``keep`` seconds."""

    def __init__(self, state: KeyedState, room: str, directory: Directory, keep: float, now: float) -> None:
        self._state, self._room, self._directory, self._keep = state, room, directory, keep
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()
        for key, value in state.all_state(room).items():
            at, _, linked = value.decode().partition(" ")
            self._known[key] = (float(at), linked)
        self.forget_old(now)

    def heard(self, phone: Address, person: Address, linked: str, now: float) -> None:
        """A phone wrote to a person."""
        if not linked or not self._keep:
            return
        key = self._key(phone, person)
        self._put(key, (now, linked))
        if len(self._known) > _REMEMBERED:
            self._drop(next(iter(self._known)))

    def of_answer(self, person: Address, phone: Address, now: float) -> str:
        """What a message of this person to this phone answers; "" for nothing."""
        at, linked = self._known.get(self._key(phone, person), (0.0, ""))
        return linked if now - at <= self._keep else ""

    def unknown(self, person: Address, phone: Address) -> None:
        """The centre does not know it any more."""
        self._drop(self._key(phone, person))

    def forget_old(self, now: float) -> None:
        for key in [key for key, (at, _) in self._known.items() if now - at > self._keep]:
            self._drop(key)

    def _key(self, phone: Address, person: Address) -> str:
        """A person may have been written to under one address and answer under another."""
        owner = self._directory.owner_of(person)
        return f"{phone.value}|{owner.id if owner is not None else person}"

    def _put(self, key: str, value: tuple[float, str]) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        self._state.put_state(self._room, key, f"{value[0]:.0f} {value[1]}".encode())

    def _drop(self, key: str) -> None:
        if self._known.pop(key, None) is not None:
            self._state.put_state(self._room, key, None)
