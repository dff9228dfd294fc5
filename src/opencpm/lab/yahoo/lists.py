"""The lab's contact lists: told whole, in pieces where they are long, and changed by answers with key 66."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opencpm.lab.yahoo import acts
from opencpm.lab.yahoo.world import Account, World
from opencpm.protocols.ymsg import services
from opencpm.protocols.ymsg.contacts import NO_GROUP
from opencpm.protocols.ymsg.packet import Packet
from opencpm.protocols.ymsg.services import Service

if TYPE_CHECKING:
    from opencpm.lab.yahoo.connection import ServerConnection

PIECE = 815  # characters of a list in one packet
_DONE, _THERE_ALREADY, _NOBODY, _ON_LIST = 0, 2, 3, 12
_ACCEPTED, _REFUSED = 1, 2

Pairs = list[tuple[int, str | bytes | int]]


def tell(world: World, account: Account) -> None:
    """The whole list, as the client's version has it."""
    connection = account.connection
    if connection is None:
        return
    own: Pairs = [(89, account.user), (59, "Y\tv=1; path=/"), (59, "T\tz=1; path=/"), (3, account.user)]
    if connection.version >= services.RECORDS:
        connection.say(Service.LIST, 0, *own)
        connection.say(Service.LIST_15, 0, *_records(account))
        return
    lines = "".join(f"{group}:{','.join(members)}\n" for group, members in account.groups.items() if members)
    pieces = [lines[at : at + PIECE] for at in range(0, len(lines), PIECE)] or [""]
    for piece in pieces[:-1]:
        connection.say(Service.LIST, services.CONTINUED, (87, piece))
    connection.say(Service.LIST, 0, (87, pieces[-1]), (88, ",".join(sorted(account.ignored))), *own)


def _records(account: Account) -> Pairs:
    found: Pairs = []
    for group, members in account.groups.items():
        found += [(302, 318), (300, 318), (65, group), (302, 319)]
        for user in members:
            pending: Pairs = [(223, 1)] if user in account.pending else []
            found += [(300, 319), (7, user), *pending, (301, 319)]
        found += [(303, 319), (301, 318), (303, 318)]
    if account.ignored:
        found += [(302, 320)]
        for user in sorted(account.ignored):
            found += [(300, 320), (7, user), (301, 319)]
        found += [(303, 320), (303, 318)]
    return found


def _again(connection: ServerConnection, account: Account) -> None:
    """After a change the whole list and who is there."""
    tell(connection.world, account)
    acts.tell_online(connection.world, account)


def add(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """From version 13 on the other one is asked; before that they are told, and may refuse."""
    world, who, group = connection.world, packet.text(7), packet.text(65)
    other = world.account(who)
    code = world.faults.codes.get(Service.FRIENDADD, _DONE if other is not None else _NOBODY)
    if code == _DONE and who in account.groups.get(group, ()):
        code = _THERE_ALREADY
    if code == _DONE and other is not None:
        _added(connection, account, other, group, packet.text(14))
    connection.say(Service.FRIENDADD, 1, (1, account.user), (7, who), (65, group), (66, code))
    if code == _DONE:
        _again(connection, account)


def _added(connection: ServerConnection, account: Account, other: Account, group: str, text: str) -> None:
    new = other.user not in account.listed
    account.groups.setdefault(group, []).append(other.user)
    asks = connection.version >= services.NEW_STYLE
    if new and asks and account.user not in other.listed:
        account.pending.add(other.user)
    elif new and other.visible:
        connection.say(Service.CONTACTNEW, 1, (1, account.user), (7, other.user), (10, other.state), (13, 1))
    there = other.connection
    if not new or there is None:
        return
    if there.version >= services.NEW_STYLE:
        said: Pairs = [(4, account.user), (5, other.user), (14, text)]
        there.say(Service.AUTHORIZATION, services.WANTS_TO_ADD, *said)
    elif account.user not in other.listed:
        now = f"{time.time():.3f}"
        said = [(1, other.user), (3, account.user), (14, text), (97, 1), (15, now)]
        there.say(Service.CONTACTNEW, services.WANTS_TO_ADD, *said)


def remove(connection: ServerConnection, account: Account, packet: Packet) -> None:
    who, group = packet.text(7), packet.text(65)
    members = account.groups.get(group, [])
    code = connection.world.faults.codes.get(Service.FRIENDREMOVE, _DONE if who in members else _NOBODY)
    if code == _DONE:
        members.remove(who)
        account.pending.discard(who)
    connection.say(Service.FRIENDREMOVE, 1, (1, account.user), (66, code), (7, who), (65, group))
    if code == _DONE:
        _again(connection, account)


def ignore(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """Only who is not on the list can be ignored."""
    world, who, on = connection.world, packet.text(7), packet.number(13) == 1
    code = _DONE
    if world.account(who) is None:
        code = _NOBODY
    elif on == (who in account.ignored):
        code = _THERE_ALREADY
    elif on and who in account.listed:
        code = _ON_LIST
    if code == _DONE:
        (account.ignored.add if on else account.ignored.discard)(who)
    connection.say(Service.IGNORE, 1, (1, account.user), (7, who), (13, packet.get(13)), (66, code))
    other = world.account(who)
    if code == _DONE and other is not None and account.visible and account.user in other.listed:
        hidden = Account(account.user, "") if on else account
        acts.tell_presence(other, hidden, Service.LOGON)


def deny(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """Versions 9 to 12: the other one is off their list again, and told why."""
    other = connection.world.account(packet.text(7))
    if other is None or account.user not in other.listed:
        return
    _take_off(other, account.user)
    if other.connection is not None:
        said: Pairs = [(1, other.user), (3, account.user), (14, packet.get(14))]
        other.connection.say(Service.CONTACTNEW, services.REFUSED, *said)
        tell(connection.world, other)


def authorize(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """From version 13 on: the answer to somebody who asked."""
    other, answer = connection.world.account(packet.text(5)), packet.number(13)
    if other is None or account.user not in other.pending:
        return
    other.pending.discard(account.user)
    if answer == _REFUSED:
        _take_off(other, account.user)
    if other.connection is None:
        return
    said: Pairs = [(4, account.user), (5, other.user), (13, answer), (14, packet.get(14))]
    other.connection.say(Service.AUTHORIZATION, 1, *said)
    tell(connection.world, other)
    if answer == _ACCEPTED and account.visible:
        acts.tell_presence(other, account, Service.LOGON)


def _take_off(owner: Account, user: str) -> None:
    for members in owner.groups.values():
        if user in members:
            members.remove(user)


__all__ = ["NO_GROUP", "PIECE", "add", "authorize", "deny", "ignore", "remove", "tell"]
