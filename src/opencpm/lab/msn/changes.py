"""How the lab's notification server changes lists: by commands up to 12, by members from 13 on."""

from __future__ import annotations

from opencpm.lab.msn import lists
from opencpm.lab.msn.world import Account, World
from opencpm.protocols.msnp import commands, dialects, membership
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.dialects import Listing
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, quote

_OURS = (Lists.FL, Lists.AL, Lists.BL)


class Refused(Exception):
    """An error number instead of an answer."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def added(world: World, me: Account, frame: Frame) -> tuple[Lists, str, tuple[str | int, ...]]:
    """ADD or ADC: which list, who, and the fields of the answer after the list. Raises Refused."""
    which, other = _own(frame.arg(1)), _target(me, frame)
    if world.account(other) is None:
        raise Refused(205 if frame.verb == "ADD" else 208)
    on = me.lists.get(other, Lists(0))
    _, plain = commands.keyed_fields(frame.args[2:])
    group = plain[0] if frame.verb == "ADC" and plain else ""
    if group:
        _grouped(me, on, other, group)
        return Lists(0), other, (f"C={me.guid(other)}", group)
    if which in on:
        raise Refused(215)
    if (which is Lists.AL and Lists.BL in on) or (which is Lists.BL and Lists.AL in on):
        raise Refused(219)
    world.put(me, which, other)
    if frame.verb == "ADD":
        return which, other, (me.version, other, frame.arg(3) or other)
    names = (f"F={lists.name_of(world, other)}", f"C={me.guid(other)}") if which is Lists.FL else ()
    return which, other, (f"N={other}", *names)


def _grouped(me: Account, on: Lists, other: str, group: str) -> None:
    if group not in me.groups or Lists.FL not in on:
        raise Refused(224 if group not in me.groups else 216)
    me.grouping.setdefault(other, set()).add(group)


def removed(world: World, me: Account, frame: Frame) -> tuple[Lists, str, tuple[str | int, ...]]:
    """REM: which list, who, and the fields of the answer after the list. Raises Refused."""
    which = Lists[frame.arg(1)] if frame.arg(1) in ("FL", "AL", "BL", "PL") else _own(frame.arg(1))
    other = _target(me, frame)
    if which not in me.lists.get(other, Lists(0)):
        raise Refused(216)
    if frame.arg(3):
        me.grouping.get(other, set()).discard(frame.arg(3))
        return Lists(0), other, (frame.arg(2), frame.arg(3))
    world.take(me, which, other)
    return which, other, (frame.arg(2),)


def members(world: World, me: Account, frame: Frame, add: bool) -> list[tuple[Lists, str]]:
    """ADL or RML: which lists of whom were named. Raises Refused."""
    payload = frame.payload or b""
    if len(payload) > membership.MAX_OCTETS:
        raise Refused(241)
    try:
        read = membership.parse(payload)
    except MsnpError:
        raise Refused(241) from None
    if len(read) > membership.MAX_CONTACTS or any(Lists.AL in m.lists and Lists.BL in m.lists for m in read):
        raise Refused(241)
    found: list[tuple[Lists, str]] = []
    for member in read:
        on = me.lists.get(member.address, Lists(0))
        for which in _OURS:
            if which not in member.lists:
                continue
            if (which not in on) is add:
                (world.put if add else world.take)(me, which, member.address)
            found.append(
                (which, member.address)
            )  # presence follows the command, whatever the address book says already
    return found


def _own(name: str) -> Lists:
    if name not in ("FL", "AL", "BL"):
        raise MsnpError("not a list that clients change")
    return Lists[name]


def _target(me: Account, frame: Frame) -> str:
    keyed, _ = commands.keyed_fields(frame.args[2:])
    guid = keyed.get("C", "") or frame.arg(2)
    by_guid = next((other for other, known in me.guids.items() if known == guid), "")
    return by_guid or commands.address(keyed.get("N", "") or frame.arg(2))


def announcement(dialect: int, other: Account) -> tuple[tuple[str | int, ...], bytes | None]:
    """What a client hears when somebody took this account into their contact list: fields and payload."""
    match dialects.listing(dialect):
        case Listing.WEB:
            local, _, domain = other.address.partition("@")
            name = quote(other.name)
            data = f'<ml><d n="{domain}"><c n="{local}" l="8" t="1" f="{name}"/></d></ml>'.encode()
            return ("ADL", 0), data
        case Listing.KEYED:
            return ("ADC", 0, "RL", f"N={other.address}", f"F={quote(other.name)}"), None
        case _:
            return ("ADD", 0, "RL", 1, other.address, quote(other.name)), None
