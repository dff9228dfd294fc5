"""The lab's notification server: sign-on, lists, presence, invitations, offline messages (dialects 2 to 18)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from opencpm.lab.msn import changes, lists, shown
from opencpm.lab.msn.connection import ServerConnection
from opencpm.lab.msn.signing import Door
from opencpm.lab.msn.world import Account, Kept
from opencpm.protocols.msnp import challenge, commands, dialects, membership, notices, payload, personal
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.dialects import Listing, Login
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, quote, unquote
from opencpm.protocols.xmlsafe import escape

_PROFILE = b"MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nMPOPEnabled: 0\r\n\r\n"
_POLICIES = b"<Policies></Policies>"
TICKET_LIFE = 120.0


class NotificationConnection(ServerConnection):
    """One client at the notification server."""

    kind = "NS"
    dialect = 0
    account: Account | None = None
    place = ""  # the machine's GUID
    _door: Door | None = None
    _listed = False  # the client has said its lists (13 and later)
    _challenged = ""

    def handle(self, frame: Frame) -> None:
        handler = _BEFORE.get(frame.verb) or (_AFTER.get(frame.verb) if self.account else None)
        if handler is None:
            self.error(715 if self.account else 302, frame)
            return
        try:
            handler(self, frame)
        except changes.Refused as refused:
            self.error(refused.code, frame)

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
        chosen = next((name for name in frame.args[1:] if name in self.world.spoken), "")
        self.say("VER", frame.trid, chosen or "0")
        self.dialect = dialects.ALL.get(chosen, 0)
        if not chosen:
            self.close()

    def _cvr(self, frame: Frame) -> None:
        version = frame.arg(6) or "1.0"
        self.say("CVR", frame.trid, version, version, version, "http://download.test/", "http://download.test/")

    def _inf(self, frame: Frame) -> None:
        if dialects.login(self.dialect) is not Login.MD5:
            self.error(715, frame)
        else:
            self.say("INF", frame.trid, "MD5")

    def _usr(self, frame: Frame) -> None:
        kind = dialects.login(self.dialect)
        if not self.dialect or self.account is not None or frame.arg(1) != kind.value:
            self.error(911, frame)
            self.close()
        elif self.world.faults.redirect:
            self.say("XFR", frame.trid, "NS", self.world.faults.redirect, 0, "127.0.0.1:1863")
            self.close()
        elif frame.arg(2) == "I":
            self.address = commands.address(frame.arg(3))
            self._door = Door(self.world, self.dialect, self.address)
            if self.dialect >= 13:
                self.say("GCF", 0, payload=_POLICIES)
            self.say("USR", frame.trid, kind.value, "S", *self._door.question())
        else:
            self._answered(frame)

    def _answered(self, frame: Frame) -> None:
        account = self._door.proved(frame.args[3:]) if self._door is not None else None
        self._door = None  # a question is good for one answer
        refused = self.world.faults.refuse_login
        if refused or account is None:
            self.error(refused or 911, frame)
            self.close()
            return
        older = account.connection
        if older is not None:
            older.kick("OTH")
        self.account, account.connection, account.status = account, self, commands.OFFLINE
        self.place = frame.arg(5) if dialects.has_places(self.dialect) else ""
        self._welcome(frame, account)

    def _welcome(self, frame: Frame, account: Account) -> None:
        name = (quote(account.name),) if self.dialect < 10 else ()
        flags = (1, 0) if self.dialect >= 8 else ((1,) if self.dialect >= 6 else ())
        self.say("USR", frame.trid, "OK", account.address, *name, *flags)
        if self.dialect >= 11:
            self.say("SBS", 0, "null")
        self.say("MSG", "Hotmail", "Hotmail", payload=_PROFILE)
        if dialects.has_places(self.dialect):
            self.say("UBX", *shown.who(self.dialect, account.address), payload=b"")

    def kick(self, why: str) -> None:
        """End the client's session with an OUT."""
        self.say("OUT", *why.split(" "))
        self.gone()
        self.account = None
        self.close()

    # --- lists ---------------------------------------------------------------------------------------------------

    @property
    def _web(self) -> bool:
        return dialects.listing(self.dialect) is Listing.WEB

    def _syn(self, frame: Frame) -> None:
        if self._web:
            self.error(502, frame)
        else:
            lists.tell(self.world, self.me, self.dialect, frame.trid, self.say)

    def _add(self, frame: Frame) -> None:
        if self._web or (frame.verb == "ADC") is (self.dialect < 10):
            self.error(502, frame)
            return
        which, other, fields = changes.added(self.world, self.me, frame)
        self.say(frame.verb, frame.trid, frame.arg(1), *fields)
        self._listed_now(which, other)

    def _listed_now(self, which: Lists, other: str) -> None:
        peer = self.world.account(other)
        if peer is None:
            return
        if which is Lists.FL:
            if peer.connection is not None:
                peer.connection.put_on_reverse(self.me)
            if peer.visible_to(self.me.address):
                self._presence("NLN", peer)
        elif which in (Lists.AL, Lists.BL):
            self._seen_by(peer)

    def _seen_by(self, peer: Account) -> None:
        """Somebody may see us now, or no longer."""
        watching = peer.connection is not None and Lists.FL in peer.lists.get(self.me.address, Lists(0))
        if peer.connection is None or not watching or self.me.status not in commands.VISIBLE_STATES:
            return
        if self.me.visible_to(peer.address):
            peer.connection._presence("NLN", self.me)
        else:
            peer.connection.say("FLN", *shown.offline(peer.connection.dialect, self.me.address))

    def put_on_reverse(self, other: Account) -> None:
        """Somebody took this account into their contact list."""
        fields, data = changes.announcement(self.dialect, other)
        self.say(str(fields[0]), *fields[1:], payload=data)

    def _rem(self, frame: Frame) -> None:
        which, other, fields = changes.removed(self.world, self.me, frame)
        version = (self.me.version,) if self.dialect < 10 else ()
        self.say("REM", frame.trid, frame.arg(1), *version, *fields)
        self._listed_now(which & ~Lists.FL, other)

    def _adl(self, frame: Frame) -> None:
        if not self._web:
            self.error(502, frame)
            return
        self._listed = True
        changed = changes.members(self.world, self.me, frame, frame.verb == "ADL")
        self.say(frame.verb, frame.trid, "OK")
        if self.me.status != commands.OFFLINE:
            for which, other in changed:
                self._listed_now(which if frame.verb == "ADL" else which & ~Lists.FL, other)

    def _fqy(self, frame: Frame) -> None:
        members = membership.parse(frame.payload or b"")
        if any(self.world.account(member.address) is None for member in members):
            self.error(208, frame)
            return
        data = "".join(
            f'<d n="{escape(m.address.partition("@")[2])}"><c n="{escape(m.address.partition("@")[0])}" t="1" /></d>'
            for m in members
        )
        self.say("FQY", frame.trid, payload=f"<ml>{data}</ml>".encode())

    def _groups(self, frame: Frame) -> None:
        if dialects.listing(self.dialect) is not Listing.KEYED:
            self.error(502, frame)
        elif frame.verb == "ADG":
            self.say("ADG", frame.trid, frame.arg(1), self.me.group(unquote(frame.arg(1))))
        elif frame.arg(1) not in self.me.groups:
            self.error(224, frame)
        elif frame.verb == "RMG":
            del self.me.groups[frame.arg(1)]
            self.say("RMG", frame.trid, frame.arg(1))
        else:
            self.me.groups[frame.arg(1)] = unquote(frame.arg(2))
            self.say("REG", *frame.args)

    # --- presence ------------------------------------------------------------------------------------------------

    def _chg(self, frame: Frame) -> None:
        state, first = frame.arg(1), self.me.status == commands.OFFLINE
        if state not in commands.OWN_STATES:
            self.error(201, frame)
            return
        caps, _, extended = frame.arg(2).partition(":")
        self.me.capabilities, self.me.extended = commands.number(caps), commands.number(extended)
        self.me.status = state
        self.say("CHG", *frame.args)
        if first:
            self._initial(frame.trid)
        self._show(self.me, commands.OFFLINE if state == commands.HIDDEN else state)

    def _initial(self, trid: int) -> None:
        for other, on in self.me.lists.items():
            peer = self.world.account(other)
            if peer is not None and Lists.FL in on and peer.visible_to(self.me.address):
                if dialects.has_places(self.dialect):
                    self._presence("NLN", peer)
                else:
                    self._presence("ILN", peer, trid)
        if dialects.offline_messages(self.dialect):
            self._mail(notices.AT_LOGIN, self.world.mail_data(self.me))
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
                connection.say("FLN", *shown.offline(connection.dialect, account.address))
            else:
                connection._presence("NLN", account)

    def _presence(self, verb: str, peer: Account, *trid: int) -> None:
        self.say(verb, *trid, *shown.online(self.dialect, peer))
        self._note(peer)

    def _note(self, peer: Account) -> None:
        if dialects.has_personal_message(self.dialect):
            place = peer.connection.place if peer.connection is not None else ""
            self.say("UBX", *shown.who(self.dialect, peer.address), payload=shown.note(self.dialect, peer, place))

    def _uux(self, frame: Frame) -> None:
        self.me.note = personal.parse(frame.payload or b"")
        self.say("UUX", frame.trid, 0)
        for other in self.world.watchers(self.me):
            if other.connection is not None and other.connection is not self and self.me.visible_to(other.address):
                other.connection._note(self.me)

    # --- conversations and messages for later --------------------------------------------------------------------

    def _xfr(self, frame: Frame) -> None:
        hidden = self.me.status not in commands.VISIBLE_STATES
        if hidden or (self._web and not self._listed):
            self.error(913, frame)
            return
        ticket = self.world.switchboard_ticket(self.address, "", self._loop.time() + TICKET_LIFE)
        host, port = self.world.switchboard
        more = ("U", "messenger.msn.com", 1) if self.dialect >= 13 else ()
        self.say("XFR", frame.trid, "SB", f"{host}:{port}", "CKI", ticket, *more)

    def ring(self, session: str, caller: Account) -> None:
        """Somebody calls this client into a switchboard."""
        ticket = self.world.switchboard_ticket(self.address, session, self._loop.time() + TICKET_LIFE / 2)
        host, port = self.world.switchboard
        more = ("U", "messenger.hotmail.com", 1) if self.dialect >= 13 else ()
        where = f"{host}:{port}"
        self.say("RNG", session, where, "CKI", ticket, caller.address, quote(caller.name), *more)

    def _uum(self, frame: Frame) -> None:
        """A message for somebody who is offline. It is dropped without a word for anybody else, as recorded."""
        if not dialects.offline_by_command(self.dialect):
            self.error(502, frame)
            return
        data = frame.payload or b""
        if len(data) > payload.MAX_PAYLOAD:
            self.abort()
            return
        peer = self.world.account(frame.arg(1))
        if peer is not None and peer.connection is None and peer.allows(self.me.address):
            said = payload.parse(data)
            head = "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nX-OIM-Message-Type: OfflineMessage\n\n"
            self.world.keep(peer, self.me, head + payload.decode_text(said))

    def mail_waits(self, kept: Sequence[Kept]) -> None:
        """A message was left for this client while it is here (hidden)."""
        if dialects.offline_messages(self.dialect):
            self._mail(notices.LATER, self.world.mail_data(self.me, kept))

    def _mail(self, kind: str, data: str) -> None:
        head = {"MIME-Version": "1.0", "Content-Type": f"{kind}; charset=UTF-8"}
        body = f"Mail-Data: {data}\r\n".encode()
        if len(body) > self.world.mail_limit:
            body = b"Mail-Data: too-large\r\n"
        self.say("MSG", "Hotmail", "Hotmail", payload=payload.build(head, body))

    # --- the rest ------------------------------------------------------------------------------------------------

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

    def _prp(self, frame: Frame) -> None:
        if frame.arg(1) == "MFN":
            self.me.name = unquote(frame.arg(2))
        self.say("PRP", *frame.args)

    def _blp(self, frame: Frame) -> None:
        if frame.arg(1) not in ("AL", "BL"):
            raise MsnpError("neither AL nor BL")
        self.me.strangers = frame.arg(1) == "AL"
        version = (self.me.version,) if self.dialect < 10 else ()
        self.say("BLP", frame.trid, *version, frame.arg(1))

    def _out(self, frame: Frame) -> None:
        self.close()


_Handler = Callable[[NotificationConnection, Frame], None]

_BEFORE: dict[str, _Handler] = {
    "VER": NotificationConnection._ver,
    "CVR": NotificationConnection._cvr,
    "INF": NotificationConnection._inf,
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
    "ADL": NotificationConnection._adl,
    "RML": NotificationConnection._adl,
    "FQY": NotificationConnection._fqy,
    "ADG": NotificationConnection._groups,
    "RMG": NotificationConnection._groups,
    "REG": NotificationConnection._groups,
    "XFR": NotificationConnection._xfr,
    "UUM": NotificationConnection._uum,
    "QRY": NotificationConnection._qry,
    "UUX": NotificationConnection._uux,
    "PRP": NotificationConnection._prp,
    "BLP": NotificationConnection._blp,
}
