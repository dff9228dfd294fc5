from opencpm.access.sip.binding import Binding, from_json
from opencpm.access.sip.location import ROOM, Location
from opencpm.protocols.sip.uri import parse_uri
from opencpm.transport.flow import Flow
from tests.access.sip.rig import RCS

NOW = 1000.0


class Kept:
    """Keyed state that commits at once."""

    def __init__(self):
        self.rooms = {}

    def put_state(self, room, key, value, done=None):
        self.rooms.setdefault(room, {})[key] = value
        if value is None:
            del self.rooms[room][key]
        if done:
            done()

    def all_state(self, room):
        return dict(self.rooms.get(room, {}))


def flow(key="f", kind="UDP"):
    return Flow(key, kind, ("192.0.2.1", 5070), ("192.0.2.10", 5060), lambda data: None)


def binding(user="alice", key="k", transport="UDP", **changes):
    name, _, value = RCS.partition("=")
    facts = {
        "user": user, "key": key, "contact": f"sip:{user}@192.0.2.1", "parameters": {name: value.strip('"')},
        "instance": "urn:uuid:1", "reg_id": 1, "path": ("<sip:p;lr>",), "transport": transport,
        "peer": ("192.0.2.1", 5070), "local_port": 5060, "expires_at": NOW + 100, "call_id": "c", "cseq": 1,
        "user_agent": "ua", "allow": frozenset({"MESSAGE"}), "accept": frozenset({"text/plain"}), "wrap": True,
        "imdn": True, "gruu": True,
    }  # fmt: skip
    return Binding(**{**facts, **changes})


def test_a_binding_survives_being_written():
    one = binding()
    back = from_json(one.to_json())
    for name in Binding.__dataclass_fields__:
        assert getattr(back, name) == getattr(one, name), name
    assert from_json(b'{"v":99}') is None


def test_what_lives_on_after_a_restart():
    store = Kept()
    before = Location(store, b"key")
    before.put(binding("alice"), flow())
    before.put(binding("bob", transport="TCP"), flow("t", "TCP"))
    before.put(binding("carol", transport="WS"), flow("w", "WS"))
    before.put(binding("dave", expires_at=NOW - 1), flow())
    after = Location(store, b"key")
    again = flow("again")
    assert after.load(NOW, lambda b: again if b.transport == "UDP" else None) == 2
    assert after.of("alice")[0].flow is again
    assert after.of("bob")[0].flow is None
    assert (after.of("carol"), after.of("dave")) == ([], [])
    assert len(store.rooms[ROOM]) == 2
    temporary = parse_uri(f"sip:{after.temporary_user(after.of('alice')[0])}@cpm.test;gr")
    assert after.at_temporary(temporary) is after.of("alice")[0]


def test_a_lost_connection_ends_websocket_bindings_and_unlinks_the_others():
    for kind, left in (("TCP", 1), ("WS", 0)):
        store = Kept()
        location, way = Location(store, b"key"), flow("x", kind)
        location.put(binding(transport=kind), way)
        assert location.lose(way) == {"alice"}
        assert len(location) == len(store.rooms[ROOM]) == left
        assert list(location.on_flow(way)) == []
        assert all(b.flow is None for b in location)
        assert location.lose(way) == set()


def test_the_flow_index_follows_a_device_that_moves():
    location, old, new = Location(Kept(), b"key"), flow("old"), flow("new")
    location.put(binding(), old)
    location.put(binding(), new)
    assert list(location.on_flow(old)) == []
    assert [b.flow for b in location.on_flow(new)] == [new]
    assert location.lose(old) == set()
    location.remove(location.of("alice")[0])
    assert (len(location), list(location.on_flow(new))) == (0, [])


def test_expiry():
    location = Location(Kept(), b"key")
    location.put(binding(), flow())
    assert location.expire(NOW + 99) == set()
    assert location.expire(NOW + 100) == {"alice"}
    assert len(location) == 0
