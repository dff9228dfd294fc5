"""What the service does for somebody who is signed in: presence, texts, typing, files, keepalives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from opencpm.lab.yahoo import conferences, lists
from opencpm.lab.yahoo.world import Account, Stored, World
from opencpm.protocols.ymsg import services
from opencpm.protocols.ymsg.packet import Packet
from opencpm.protocols.ymsg.services import Service

if TYPE_CHECKING:
    from opencpm.lab.yahoo.connection import ServerConnection

_STORED_AT_ONCE = 10  # texts in one packet
_MINUTES_OF_PINGS, _MINUTES_OF_KEEPALIVES = 60, 13

Pairs = list[tuple[int, str | bytes | int]]


def handle(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """One packet of somebody who is signed in; what is not known is passed over."""
    act = _ACTS.get(packet.service)
    if act is not None:
        act(connection, account, packet)


def welcome(world: World, account: Account) -> None:
    """The end of a login: the list, who is there, what was kept; and the others are told."""
    connection = account.connection
    assert connection is not None
    lists.tell(world, account)
    tell_online(world, account)
    if connection.version == 10:
        _intervals(connection)
    _deliver_stored(account)
    if account.visible:
        announce(world, account, Service.LOGON)


def gone(world: World, account: Account) -> None:
    """The connection is over: only now do others see somebody leave, and conferences lose them."""
    account.connection = None
    conferences.gone(world, account)
    announce(world, account, Service.LOGOFF)


# --------------------------------------------------------------------------------------------------- presence


def announce(world: World, account: Account, service: Service) -> None:
    """Tell everybody who may see it how somebody is now."""
    for watcher in world.watchers(account.user):
        tell_presence(watcher, account, service)


def tell_presence(watcher: Account, about: Account, service: Service) -> None:
    """Records of their own from version 15 on; before that the service says what happened."""
    connection = watcher.connection
    if connection is None:
        return
    if not about.visible:
        connection.say(Service.LOGOFF, 1, (7, about.user), (10, 0), (11, 0), (17, 0), (13, 0))
    elif connection.version >= services.RECORDS:
        connection.say(Service.STATUS_15, 1, *_bracketed(about))
    else:
        connection.say(service, 1, (0, watcher.user), *_record(about))


def tell_online(world: World, account: Account) -> None:
    """Everybody on the list who is there."""
    connection = account.connection
    if connection is None:
        return
    there = [world.accounts[user] for user in sorted(account.listed) if world.sees(account, user)]
    there = [other for other in there if other.visible]
    if connection.version >= services.RECORDS:
        for other in there:
            connection.say(Service.STATUS_15, 0, *_bracketed(other))
        return
    records = [pair for other in there for pair in _record(other)]
    connection.say(Service.LOGON, 0, (0, account.user), (1, account.user), (8, len(there)), *records)


def _record(about: Account) -> Pairs:
    note: Pairs = [(19, about.note), (47, about.away)] if about.state == services.CUSTOM else []
    return [(7, about.user), (10, about.state), (11, 0), *note, (17, 0), (13, 1)]


def _bracketed(about: Account) -> Pairs:
    return [(302, 315), (300, 315), *_record(about), (301, 315), (303, 315)]


def _status(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """The presence in ISBACK is that of the header, in the others that of key 10."""
    world, was_visible = connection.world, account.visible
    account.state = packet.status if packet.service == Service.ISBACK else packet.number(10)
    account.note, account.away = packet.text(19), packet.number(47)
    _presence_changed(world, account, was_visible, packet.service)


def _toggle(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """From version 13 on: 1 visible, 2 invisible."""
    was_visible = account.visible
    if packet.number(13) == 2:
        account.state = services.INVISIBLE
    elif not was_visible:
        account.state = services.AVAILABLE
    else:
        return
    _presence_changed(connection.world, account, was_visible, Service.STATUS_UPDATE)


def _presence_changed(world: World, account: Account, was_visible: bool, service: int) -> None:
    if account.visible:
        said = Service.ISAWAY if account.state else Service.ISBACK
        announce(world, account, said if was_visible else Service.LOGON)
    elif was_visible:
        announce(world, account, Service.LOGOFF)


# ------------------------------------------------------------------------------------------------------ texts


def _message(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """To who is there at once, else it is kept; nothing is ever answered, also not for an id that there is not."""
    world = connection.world
    other = world.account(packet.text(5))
    if other is None or world.faults.swallow or account.user in other.ignored:
        return
    text = Stored(account.user, packet.get(14), int(time.time()), packet.get(97) == b"1", packet.text(429))
    if other.connection is None:
        other.stored.append(text)
    else:
        deliver(other, text)


def deliver(other: Account, text: Stored) -> None:
    """Say a text to somebody who is there; from version 16 on it is remembered until it is confirmed."""
    connection = other.connection
    assert connection is not None
    values: Pairs = [(5, other.user), (4, text.sender), (14, text.text), (63, ";0"), (64, 0)]
    if text.utf8:
        values.append((97, 1))
    if text.ident and connection.version >= services.ACKNOWLEDGED:
        other.unconfirmed[text.ident] = text
        values.append((429, text.ident))
    connection.say(Service.MESSAGE, 1, *values)


def repeat(account: Account) -> None:
    """What was not confirmed is said again."""
    for text in tuple(account.unconfirmed.values()):
        deliver(account, text)


def _acknowledged(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """The sender's client is told, if it knows such."""
    ident = packet.text(430)
    account.unconfirmed.pop(ident, None)
    sender = connection.world.account(packet.text(5))
    if sender is not None and sender.connection is not None and sender.connection.version >= services.ACKNOWLEDGED:
        sender.connection.say(
            Service.MESSAGE_ACK, 1, (4, account.user), (5, sender.user), (302, 430), (430, ident), (303, 430), (450, 0)
        )


def _deliver_stored(account: Account) -> None:
    """What came while they were away, several in a packet (status 5); and what was never confirmed."""
    assert account.connection is not None
    repeat(account)
    waiting, account.stored = account.stored, []
    for at in range(0, len(waiting), _STORED_AT_ONCE):
        records = [pair for text in waiting[at : at + _STORED_AT_ONCE] for pair in _kept(account, text)]
        account.connection.say(Service.MESSAGE, services.CONTINUED, *records)


def _kept(account: Account, text: Stored) -> Pairs:
    charset: Pairs = [(97, 1)] if text.utf8 else []
    return [(31, 6), (32, 6), (4, text.sender), (5, account.user), (14, text.text), (15, text.at), *charset]


def _typing(connection: ServerConnection, account: Account, packet: Packet) -> None:
    other = connection.world.account(packet.text(5))
    if other is not None and other.connection is not None and account.user not in other.ignored:
        said: Pairs = [(49, packet.get(49)), (14, " "), (13, packet.get(13))]
        other.connection.say(Service.NOTIFY, 1, (5, other.user), (4, account.user), *said)


def _file(connection: ServerConnection, account: Account, packet: Packet) -> None:
    """Offers and their answers are passed on as they are."""
    other = connection.world.account(packet.text(5))
    if other is not None and other.connection is not None:
        kept = [(key, value) for key, value in packet.pairs if key not in (1, 4, 5)]
        other.connection.say(packet.service, 1, (5, other.user), (4, account.user), *kept)


# ------------------------------------------------------------------------------------------------- small things


def _ping(connection: ServerConnection, account: Account, packet: Packet) -> None:
    if connection.world.faults.keepalives:
        _intervals(connection)


def _intervals(connection: ServerConnection) -> None:
    connection.say(Service.PING, 0, (143, _MINUTES_OF_PINGS), (144, _MINUTES_OF_KEEPALIVES))


def _keepalive(connection: ServerConnection, account: Account, packet: Packet) -> None:
    if connection.world.faults.keepalives:
        connection.say(Service.KEEPALIVE, 0, (1, account.user))


_ACTS: dict[int, Callable[[ServerConnection, Account, Packet], None]] = {
    Service.ISAWAY: _status,
    Service.ISBACK: _status,
    Service.STATUS_UPDATE: _status,
    Service.VISIBLE_TOGGLE: _toggle,
    Service.MESSAGE: _message,
    Service.MESSAGE_ACK: _acknowledged,
    Service.NOTIFY: _typing,
    Service.P2PFILEXFER: _file,
    Service.FILETRANSFER_OFFER: _file,
    Service.PING: _ping,
    Service.KEEPALIVE: _keepalive,
    Service.FRIENDADD: lists.add,
    Service.FRIENDREMOVE: lists.remove,
    Service.IGNORE: lists.ignore,
    Service.CONTACTDENY: lists.deny,
    Service.AUTHORIZATION: lists.authorize,
    Service.CONFINVITE: conferences.invite,
    Service.CONFADDINVITE: conferences.invite,
    Service.CONFLOGON: conferences.join,
    Service.CONFDECLINE: conferences.decline,
    Service.CONFLOGOFF: conferences.leave,
    Service.CONFMSG: conferences.say,
}
