"""The lab's notification server: sign-on, lists, presence, invitations (dialects 8 and 12)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from opencpm.lab.msn.connection import ServerConnection
from opencpm.lab.msn.world import Account
from opencpm.protocols.msnp import challenge, commands
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, quote, unquote

_PARAMETERS = "ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1"
_STAMP = "2000-01-01T00:00:00.0-00:00"
_PROFILE = b"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nMPOPEnabled: 0\r\n\r\n"
_NO_MESSAGE = b"<Data><PSM></PSM><CurrentMedia></CurrentMedia></Data>"
TICKET_LIFE = 120.0


class NotificationConnection(ServerConnection):
    """One client at the notification server."""

    kind = "NS"
    dialect = 0
    account: Account | None = None
    _challenged = ""

    def handle(self, frame: Frame) -> None:
        handler = _BEFORE.get(frame.verb) or (_AFTER.get(frame.verb) if self.account else None)
        if handler is None:
            self.error(715 if self.account else 302, frame)
        else:
            handler(self, frame)

    def gone(self) -> None:
        account = self.account
        if account is not None and account.connection is self:
            account.connection = None
            self._show(account, commands.OFFLINE)
            account.status = commands.OFFLINE

    @property
    def me(self) -> Account:
        assert self.account is not None
        return self.account

    # --- sign-on -------------------------------------------------------------------------------------------------

    def _ver(self, frame: Frame) -> None:
        chosen = next((name for name in frame.args[1:] if name in commands.DIALECTS), "")
        self.say("VER", frame.trid, chosen or "0")
        self.dialect = commands.DIALECTS.get(chosen, 0)
        if not chosen:
            self.close()

    def _cvr(self, frame: Frame) -> None:
        version = frame.arg(6) or "1.0"
        self.say("CVR", frame.trid, version, version, version, "http://download.test/", "http://download.test/")

    def _usr(self, frame: Frame) -> None:
        if frame.arg(1) != "TWN":
            self.error(911, frame)
        elif frame.arg(2) == "I":
            self.address = commands.address(frame.arg(3))
            self.say("USR", frame.trid, "TWN", "S", _PARAMETERS)
        else:
            self._ticket(frame)

    def _ticket(self, frame: Frame) -> None:
        account = self.world.account(self.world.logins.pop(frame.arg(3), ""))
        refused = self.world.faults.refuse_login
        if refused or account is None or account.address != self.address:
            self.error(refused or 911, frame)
            self.close()
            return
        older = account.connection
        if older is not None:
            older.kick("OTH")
        self.account, account.connection, account.status = account, self, commands.OFFLINE
        name = (quote(account.name),) if self.dialect < 10 else ()
        self.say("USR", frame.trid, "OK", account.address, *name, 1, 0)
        if self.dialect >= 11:
            self.say("SBS", 0, "null")
        self.say("MSG", "Hotmail", "Hotmail", payload=_PROFILE)

    def kick(self, why: str) -> None:
        """End the client's session with an OUT."""
        self.say("OUT", why)
        self.gone()
        self.account = None
        self.close()

    # --- lists ---------------------------------------------------------------------------------------------------

    def _syn(self, frame: Frame) -> None:
        kept = {other: on for other, on in self.me.lists.items() if on}
        if self.dialect < 10:
            self.say("SYN", frame.trid, self.me.version, len(kept), 1)
        else:
            self.say("SYN", frame.trid, _STAMP, _STAMP, len(kept), 0)
        self.say("GTC", "A")
        self.say("BLP", "AL" if self.me.strangers else "BL")
        if self.dialect < 10:
            self.say("LSG", 0, "Other%20Contacts", 0)
        else:
            self.say("PRP", "MFN", quote(self.me.name))
        for other, on in kept.items():
            self._lst(other, on)

    def _lst(self, other: str, on: Lists) -> None:
        name = self._name_of(other)
        if self.dialect < 10:
            self.say("LST", other, name, int(on), *((0,) if Lists.FL in on else ()))
            return
        guid = (f"F={name}", f"C={self.me.guid(other)}") if Lists.FL in on else ()
        self.say("LST", f"N={other}", *guid, int(on), *((1,) if self.dialect >= 12 else ()))

    def _name_of(self, other: str) -> str:
        known = self.world.account(other)
        return quote(known.name if known else other)

    def _add(self, frame: Frame) -> None:
        which, other = _own_list(frame.arg(1)), self._target(frame)
        if self.world.account(other) is None:
            self.error(205 if self.dialect < 10 else 208, frame)
            return
        if which in self.me.lists.get(other, Lists(0)):
            self.error(215, frame)
            return
        self.world.put(self.me, which, other)
        self._added(frame, which, other)

    def _added(self, frame: Frame, which: Lists, other: str) -> None:
        peer = self.world.account(other)
        assert peer is not None
        if frame.verb == "ADD":
            self.say("ADD", frame.trid, frame.arg(1), self.me.version, other, frame.arg(3) or other)
        else:
            fields = (f"F={self._name_of(other)}", f"C={self.me.guid(other)}") if which is Lists.FL else ()
            self.say("ADC", frame.trid, frame.arg(1), f"N={other}", *fields)
        if which is Lists.FL:
            if peer.connection is not None:
                peer.connection.put_on_reverse(self.me)
            self._tell_about(peer)

    def put_on_reverse(self, other: Account) -> None:
        """Somebody took this account into their contact list."""
        if self.dialect < 10:
            self.say("ADD", 0, "RL", self.me.version, other.address, quote(other.name))
        else:
            self.say("ADC", 0, "RL", f"N={other.address}", f"F={quote(other.name)}")

    def _rem(self, frame: Frame) -> None:
        target = frame.arg(2)
        by_guid = next((other for other, guid in self.me.guids.items() if guid == target), "")
        which, other = _own_list(frame.arg(1)), by_guid or commands.address(target)
        self.world.take(self.me, which, other)
        version = (self.me.version,) if self.dialect < 10 else ()
        self.say("REM", frame.trid, frame.arg(1), *version, target)

    def _target(self, frame: Frame) -> str:
        keyed, _ = commands.keyed_fields(frame.args[2:])
        return commands.address(keyed.get("N", "") or frame.arg(2))

    # --- presence ------------------------------------------------------------------------------------------------

    def _chg(self, frame: Frame) -> None:
        state, first = frame.arg(1), self.me.status == commands.OFFLINE
        if state not in commands.OWN_STATES:
            self.error(201, frame)
            return
        self.me.capabilities = commands.number(frame.arg(2))
        self.me.status = state
        self.say("CHG", *frame.args)
        if first:
            self._initial(frame.trid)
        self._show(self.me, commands.OFFLINE if state == commands.HIDDEN else state)

    def _initial(self, trid: int) -> None:
        for other, on in self.me.lists.items():
            peer = self.world.account(other)
            if peer is not None and Lists.FL in on and peer.visible_to(self.me.address):
                self._presence("ILN", peer, trid)
        if self.world.challenge:
            self._challenged = str(secrets.randbelow(10**20)).zfill(20)
            self.say("CHL", 0, self._challenged)

    def _show(self, account: Account, state: str) -> None:
        """Tell everybody who may know that this account's presence changed."""
        for other in self.world.watchers(account):
            connection = other.connection
            if connection is None or connection is self or not account.allows(other.address):
                continue
            if state == commands.OFFLINE:
                connection.say("FLN", account.address)
            else:
                connection._presence("NLN", account)

    def _tell_about(self, peer: Account) -> None:
        if peer.visible_to(self.me.address):
            self._presence("NLN", peer)

    def _presence(self, verb: str, peer: Account, *trid: int) -> None:
        picture = ("%3Cmsnobj%2F%3E",) if self.dialect >= 9 else ()
        self.say(verb, *trid, peer.status, peer.address, quote(peer.name), peer.capabilities, *picture)
        if self.dialect >= 11:
            self.say("UBX", peer.address, payload=_NO_MESSAGE)

    # --- the rest ------------------------------------------------------------------------------------------------

    def _xfr(self, frame: Frame) -> None:
        if self.me.status not in commands.VISIBLE_STATES:
            self.error(913, frame)
            return
        ticket = self.world.switchboard_ticket(self.address, "", self._loop.time() + TICKET_LIFE)
        host, port = self.world.switchboard
        self.say("XFR", frame.trid, "SB", f"{host}:{port}", "CKI", ticket)

    def ring(self, session: str, caller: Account) -> None:
        """Somebody calls this client into a switchboard."""
        ticket = self.world.switchboard_ticket(self.address, session, self._loop.time() + TICKET_LIFE / 2)
        host, port = self.world.switchboard
        self.say("RNG", session, f"{host}:{port}", "CKI", ticket, caller.address, quote(caller.name))

    def _png(self, frame: Frame) -> None:
        self.say("QNG", *((60,) if self.dialect >= 9 else ()))

    def _qry(self, frame: Frame) -> None:
        product = challenge.product_for(self.dialect)
        expected = challenge.answer(self._challenged, product, self.dialect).encode()
        if frame.arg(1) != product.id or frame.payload != expected:
            self.error(540, frame)
            self.close()
        else:
            self.say("QRY", frame.trid)

    def _uux(self, frame: Frame) -> None:
        self.say("UUX", frame.trid, payload=b"")

    def _prp(self, frame: Frame) -> None:
        if frame.arg(1) == "MFN":
            self.me.name = unquote(frame.arg(2))
        self.say("PRP", *frame.args)

    def _out(self, frame: Frame) -> None:
        self.close()


def _own_list(name: str) -> Lists:
    if name not in ("FL", "AL", "BL"):
        raise MsnpError("not a list that clients change")
    return Lists[name]


_Handler = Callable[[NotificationConnection, Frame], None]

_BEFORE: dict[str, _Handler] = {
    "VER": NotificationConnection._ver,
    "CVR": NotificationConnection._cvr,
    "USR": NotificationConnection._usr,
    "PNG": NotificationConnection._png,
    "OUT": NotificationConnection._out,
}
_AFTER: dict[str, _Handler] = {
    "SYN": NotificationConnection._syn,
    "CHG": NotificationConnection._chg,
    "ADD": NotificationConnection._add,
    "ADC": NotificationConnection._add,
    "REM": NotificationConnection._rem,
    "XFR": NotificationConnection._xfr,
    "QRY": NotificationConnection._qry,
    "UUX": NotificationConnection._uux,
    "PRP": NotificationConnection._prp,
}
