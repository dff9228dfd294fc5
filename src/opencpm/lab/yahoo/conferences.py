"""The lab's conferences: rooms that live while somebody is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from opencpm.lab.yahoo.world import Account, Conference, World
from opencpm.protocols.ymsg.packet import Packet
from opencpm.protocols.ymsg.services import Service

if TYPE_CHECKING:
    from opencpm.lab.yahoo.connection import ServerConnection

Pairs = list[tuple[int, str | bytes | int]]


def invite(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """The inviter is in at once; the invited are told who else is, as the recorded server does by CONFADDINVITE."""
    world, name = connection.world, packet.text(57)
    room = world.conferences.setdefault(name, Conference(name, account.user, {account.user}))
    if account.user not in room.members:
        return
    named = [user for key in (52, 51) for value in packet.all(key) for user in value.split(",") if user]
    others: Pairs = [(53, user) for user in sorted(room.members) if user != account.user]
    others += [(52, user) for user in named]
    for user in named:
        there = world.account(user)
        if there is not None and there.connection is not None and account.user not in there.ignored:
            room.invited.add(user)
            seen = [pair for pair in others if pair[1] != user]
            head: Pairs = [(1, user), (57, name), (50, account.user), (58, packet.get(58))]
            there.connection.say(Service.CONFADDINVITE, 1, *head, *seen, (13, 0))


def join(connection: ServerConnection, account: Account, packet: Packet) -> None:
    room = connection.world.conferences.get(packet.text(57))
    if room is None or account.user not in room.invited:
        return
    room.invited.discard(account.user)
    _tell(connection.world, room.members, Service.CONFLOGON, room, [(53, account.user)])
    room.members.add(account.user)


def decline(connection: ServerConnection, account: Account, packet: Packet) -> None:
    room = connection.world.conferences.get(packet.text(57))
    if room is not None and account.user in room.invited:
        room.invited.discard(account.user)
        said: Pairs = [(54, account.user), (14, packet.get(14))]
        _tell(connection.world, room.members, Service.CONFDECLINE, room, said)


def leave(connection: ServerConnection, account: Account, packet: Packet) -> None:
    room = connection.world.conferences.get(packet.text(57))
    if room is not None:
        _left(connection.world, room, account.user)


def say(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """To the named members only; one's own text is not echoed."""
    world, room = connection.world, connection.world.conferences.get(packet.text(57))
    if room is None or account.user not in room.members or world.faults.swallow:
        return
    named = [user for user in packet.all(53) if user in room.members and user != account.user]
    said: Pairs = [(3, account.user), (14, packet.get(14)), (97, 1)]
    _tell(world, named, Service.CONFMSG, room, said)


def gone(world: World, account: Account) -> None:
    """Somebody's connection is over."""
    for room in tuple(world.conferences.values()):
        room.invited.discard(account.user)
        _left(world, room, account.user)


def _left(world: World, room: Conference, user: str) -> None:
    if user not in room.members:
        return
    room.members.discard(user)
    _tell(world, room.members | room.invited, Service.CONFLOGOFF, room, [(56, user)])
    if not room.members:
        world.conferences.pop(room.name, None)


def _tell(world: World, users: Iterable[str], service: Service, room: Conference, said: Pairs) -> None:
    for user in sorted(users):
        there = world.accounts[user].connection
        if there is not None:
            there.say(service, 1, (1, user), (57, room.name), *said)
