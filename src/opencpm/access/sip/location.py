"""Where the devices of each user are: the bindings in memory, kept in step with the durable state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from opencpm.access.sip.binding import Binding, from_json
from opencpm.interfaces import KeyedState
from opencpm.protocols.sip.gruu import TEMP_PREFIX, gruu_instance, temporary_name
from opencpm.protocols.sip.uri import Uri
from opencpm.transport.flow import Flow

ROOM = "sip.bindings"


class Location:
    """All bindings. Changes go to `store`; `gruu_key` makes temporary GRUUs."""

    def __init__(self, store: KeyedState, gruu_key: bytes) -> None:
        self._store, self._gruu_key = store, gruu_key
        self._users: dict[str, dict[str, Binding]] = {}
        self._flows: dict[str, set[Binding]] = {}
        self._temporary: dict[str, Binding] = {}

    def load(self, now: float, flow_of: Callable[[Binding], Flow | None]) -> int:
        """Take up what an earlier process stored. Returns how many bindings live on.

        Connections died with that process, so only UDP bindings have a flow again; WebSocket ones, which nothing
        can reach, are dropped (a device comes back by itself).
        """
        for key, data in list(self._store.all_state(ROOM).items()):
            binding = from_json(data)
            if binding is None or binding.expires_at <= now or binding.transport in ("WS", "WSS"):
                self._store.put_state(ROOM, key, None)
                continue
            self._place(binding, flow_of(binding))
        return len(self)

    def __len__(self) -> int:
        return sum(len(bindings) for bindings in self._users.values())

    def __iter__(self) -> Iterator[Binding]:
        return (binding for bindings in self._users.values() for binding in bindings.values())

    def of(self, user: str) -> list[Binding]:
        """A user's devices, those that expired left out by `expire`."""
        return list(self._users.get(user, {}).values())

    def find(self, user: str, key: str) -> Binding | None:
        return self._users.get(user, {}).get(key)

    def on_flow(self, flow: Flow) -> Iterable[Binding]:
        """The devices that registered over a flow."""
        return self._flows.get(flow.key, ())

    def at_temporary(self, uri: Uri) -> Binding | None:
        """The device behind a temporary GRUU."""
        return self._temporary.get(uri.user) if uri.user.startswith(TEMP_PREFIX) else None

    def at_gruu(self, user: str, uri: Uri) -> list[Binding]:
        """The user's device that a public GRUU names."""
        instance = gruu_instance(uri)
        return [binding for binding in self.of(user) if instance and binding.instance == instance]

    def put(self, binding: Binding, flow: Flow | None, done: Callable[[], None] | None = None) -> None:
        """Add or replace a binding; `done` is called when it is durable."""
        old = self.find(binding.user, binding.key)
        if old is not None:
            self._unplace(old)
        self._place(binding, flow)
        self.save(binding, done)

    def save(self, binding: Binding, done: Callable[[], None] | None = None) -> None:
        self._store.put_state(ROOM, _key(binding), binding.to_json(), done)

    def remove(self, binding: Binding, done: Callable[[], None] | None = None) -> None:
        self._unplace(binding)
        self._store.put_state(ROOM, _key(binding), None, done)

    def expire(self, now: float) -> set[str]:
        """Drop what is over; the users it concerned."""
        over = [binding for binding in self if binding.expires_at <= now]
        for binding in over:
            self.remove(binding)
        return {binding.user for binding in over}

    def lose(self, flow: Flow) -> set[str]:
        """A connection has gone: WebSocket bindings end with it, the others stay without a way. The users."""
        users = set()
        for binding in self._flows.pop(flow.key, ()):
            users.add(binding.user)
            binding.flow = None
            if flow.kind in ("WS", "WSS"):
                self.remove(binding)
        return users

    def temporary_user(self, binding: Binding) -> str:
        """The name in a binding's temporary GRUU."""
        return TEMP_PREFIX + temporary_name(binding.user, binding.instance, self._gruu_key)

    def _place(self, binding: Binding, flow: Flow | None) -> None:
        binding.flow = flow
        self._users.setdefault(binding.user, {})[binding.key] = binding
        if flow is not None:
            self._flows.setdefault(flow.key, set()).add(binding)
        if binding.gruu:
            self._temporary[self.temporary_user(binding)] = binding

    def _unplace(self, binding: Binding) -> None:
        bindings = self._users.get(binding.user)
        if bindings is not None and bindings.get(binding.key) is binding:
            del bindings[binding.key]
            if not bindings:
                del self._users[binding.user]
        if binding.flow is not None and binding.flow.key in self._flows:
            self._flows[binding.flow.key].discard(binding)
            if not self._flows[binding.flow.key]:
                del self._flows[binding.flow.key]
        if binding.gruu and self._temporary.get(self.temporary_user(binding)) is binding:
            del self._temporary[self.temporary_user(binding)]


def _key(binding: Binding) -> str:
    return f"{binding.user}\n{binding.key}"
