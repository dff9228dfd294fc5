"""Who is meant by a reply to a number that several senders share: (receiver, number) -> the last sender."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from opencpm.domain.address import Address, AddressError

_REMEMBERED = 100_000


class Memory(Protocol):
    """Durable values by room and key."""

    def put_state(self, room: str, key: str, value: bytes | None) -> None: ...

    def get_state(self, room: str, key: str) -> bytes | None: ...


class Replies:
    """Durable; the last who wrote to a person from a shared number gets the person's reply."""

    def __init__(self, state: Memory, room: str) -> None:
        self._state, self._room = state, room
        self._known: OrderedDict[str, str] = OrderedDict()

    def sent(self, shared: str, receiver: Address, sender: Address) -> None:
        """``sender`` writes to ``receiver`` from the shared number."""
        key, value = f"{receiver.value}|{shared.lstrip('+')}", str(sender)
        if self._known.get(key) == value:
            return
        self._keep(key, value)
        self._state.put_state(self._room, key, value.encode())

    def meant(self, shared: Address, writer: Address) -> Address | None:
        """Who is meant when ``writer`` writes to the shared number; None if nobody used it."""
        key = f"{writer.value}|{shared.value.lstrip('+')}"
        value = self._known.get(key)
        if value is None:
            value = (self._state.get_state(self._room, key) or b"").decode()
            self._keep(key, value)
        try:
            return Address.parse(value) if value else None
        except AddressError:
            return None

    def _keep(self, key: str, value: str) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
