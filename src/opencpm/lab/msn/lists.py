"""How the lab's notification server tells lists at sign-on (dialects 2 to 12)."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.lab.msn.world import Account, World
from opencpm.protocols.msnp import dialects
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.dialects import Listing
from opencpm.protocols.msnp.framing import quote

_STAMP = "2000-01-01T00:00:00.0-00:00"

Say = Callable[..., None]


def tell(world: World, me: Account, dialect: int, trid: int, say: Say) -> None:
    """Answer SYN."""
    kept = {other: on for other, on in me.lists.items() if on}
    match dialects.listing(dialect):
        case Listing.BY_LIST:
            _by_list(world, me, kept, trid, say)
        case Listing.BY_CONTACT:
            say("SYN", trid, me.version, len(kept), 1)
            _privacy(me, say)
            say("LSG", 0, "Other%20Contacts", 0)
            for other, on in kept.items():
                say("LST", other, name_of(world, other), int(on), *((0,) if Lists.FL in on else ()))
        case _:
            say("SYN", trid, _STAMP, _STAMP, len(kept), len(me.groups))
            _privacy(me, say)
            say("PRP", "MFN", quote(me.name))
            for ident, name in me.groups.items():
                say("LSG", quote(name), ident)
            for other, on in kept.items():
                _keyed(world, me, other, on, dialect, say)


def _privacy(me: Account, say: Say) -> None:
    say("GTC", "A")
    say("BLP", "AL" if me.strangers else "BL")


def _by_list(world: World, me: Account, kept: dict[str, Lists], trid: int, say: Say) -> None:
    version = me.version
    say("SYN", trid, version)
    say("GTC", trid, version, "A")
    say("BLP", trid, version, "AL" if me.strangers else "BL")
    for which in (Lists.FL, Lists.AL, Lists.BL, Lists.RL):
        there = [other for other, on in kept.items() if which in on]
        for number, other in enumerate(there, start=1):
            say("LST", trid, str(which.name), version, number, len(there), other, name_of(world, other))
        if not there:
            say("LST", trid, str(which.name), version, 0, 0)


def _keyed(world: World, me: Account, other: str, on: Lists, dialect: int, say: Say) -> None:
    names = (f"F={name_of(world, other)}", f"C={me.guid(other)}") if Lists.FL in on else ()
    groups = (",".join(sorted(me.grouping.get(other, ()))),) if me.grouping.get(other) else ()
    say("LST", f"N={other}", *names, int(on), *((1,) if dialect >= 12 else ()), *groups)


def name_of(world: World, other: str) -> str:
    known = world.account(other)
    return quote(known.name if known else other)
