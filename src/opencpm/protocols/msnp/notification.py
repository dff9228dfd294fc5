"""The client's side of a notification server connection (dialects 2 to 18), without sockets or a clock.

    NEW -> (the steps of `login`) -> ONLINE -> LEAVING -> CLOSED

Feed octets with `receive`, write what `take` hands out, call `poll` at `next_timeout`. Nothing a server
sends raises: what is not MSNP ends in a `Failed` event, a command that cannot be read is passed over.
"""

from collections.abc import Callable, Iterable, Sequence

from opencpm.protocols.msnp import challenge, commands, dialects, events, membership, notices, payload, personal
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import MsnpError, Trouble, trouble
from opencpm.protocols.msnp.framing import Frame
from opencpm.protocols.msnp.listwriter import ListWriter
from opencpm.protocols.msnp.login import UNDER_WAY, SigningOn, SignOn, State
from opencpm.protocols.msnp.roster import MAX_CONTACTS, Roster
from opencpm.protocols.msnp.wire import Wire, earliest

__all__ = ["MAX_CONTACTS", "NotificationClient", "SignOn", "State"]

PING_INTERVAL = 45.0  # seconds, until QNG tells another
PONG_WAIT = 30.0
SIGN_OFF_WAIT = 5.0


class NotificationClient:
    """One signed-on account."""

    def __init__(self, sign_on: SignOn) -> None:
        self._me = sign_on
        self._wire = Wire()
        self._roster = Roster()
        self._login = SigningOn(sign_on, self._wire, self._roster, self._fail)
        self._lists = ListWriter(self._wire, self._roster)
        self._ping_interval = PING_INTERVAL
        self._ping_at: float | None = None
        self._pong_by: float | None = None
        self._leave_by: float | None = None
        self.presence_known = False
        """True once the service has answered our first PNG: who was there when we signed on was told before."""

    @property
    def dialect(self) -> int:
        """The number of the dialect spoken, 0 before it is agreed on."""
        return self._login.dialect

    @property
    def state(self) -> State:
        return self._login.state

    @property
    def name(self) -> str:
        """What the account calls itself, as far as the service said."""
        return self._login.name

    @property
    def contacts(self) -> dict[str, Contact]:
        """Everybody on one of the lists, by address."""
        return dict(self._roster.contacts)

    @property
    def groups(self) -> dict[str, str]:
        """The groups of contacts: id and name."""
        return dict(self._roster.groups)

    # --- what the owner calls ------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Open the conversation; call it once the connection stands."""
        self._login.start(now)

    def ticket(self, ticket: str, now: float, response: str = "") -> None:
        """Go on with the login after `TicketWanted`: the MD5 response, the ticket, or the token and its response."""
        self._login.ticket(ticket, response, now)

    def lists(
        self,
        contacts: Iterable[Contact],
        now: float,
        *,
        groups: Iterable[tuple[str, str]] = (),
        privacy: str = "",
        name: str = "",
    ) -> None:
        """Go on after `ListsWanted` with what the address book says; `privacy` is AL or BL (strangers may, may not)."""
        self._login.lists(contacts, groups, privacy, name, now)

    def status(self, state: str, now: float) -> None:
        """Publish another presence, or HDN to be seen by nobody (then nobody can be invited either)."""
        if state not in commands.OWN_STATES:
            raise MsnpError(f"not a state to publish: {state[:10]!r}")
        self._online()
        self._wire.ask("CHG", *self._login.presence(state), deadline=self._by(now))

    def personal_message(self, text: str, now: float) -> None:
        """Show a text beside the name; nothing happens in dialects that have none (up to 10)."""
        self._online()
        if dialects.has_personal_message(self.dialect):
            self._wire.ask("UUX", deadline=self._by(now), payload=personal.build(text))

    def switchboard(self, now: float) -> int:
        """Ask for a switchboard; the answer is `SwitchboardGranted` or `Refused` with the id returned here."""
        self._online()
        return self._wire.ask("XFR", "SB", deadline=self._by(now))

    def offline_text(self, address: str, text: str, now: float) -> int:
        """Leave a text with the service for somebody who is offline (UUM, dialect 18). There is no positive answer."""
        self._online()
        if not dialects.offline_by_command(self.dialect):
            raise MsnpError("this dialect leaves messages by the web service")
        who = commands.address(address)
        return self._wire.tell("UUM", who, 1, 1, payload=payload.offline_text(text))

    @property
    def change(self) -> ListWriter:
        """Changes of lists and groups; `ListChanged`, `GroupChanged`, `GroupingChanged` or `Refused` follow."""
        self._online()
        self._lists.speak(self.dialect, self._me.step_timeout)
        return self._lists

    def add(self, to: Lists, address: str, name: str, now: float) -> int:
        """Put somebody on our lists (FL, AL, BL; several at once from dialect 13 on)."""
        return self.change.add(to, address, name, now)

    def remove(self, off: Lists, address: str, now: float) -> int:
        """Take somebody off our lists."""
        return self.change.remove(off, address, now)

    def sign_off(self, now: float) -> None:
        """Leave; the server answers by closing the connection."""
        if self.state not in (State.NEW, State.LEAVING, State.CLOSED):
            self._wire.bare("OUT")
            self._login.state = State.LEAVING
            self._leave_by = now + SIGN_OFF_WAIT

    # --- what the driver calls -----------------------------------------------------------------------------------

    def take(self) -> bytes:
        """Octets to write, handed out once."""
        return self._wire.take()

    def receive(self, data: bytes, now: float) -> list[events.NotificationEvent]:
        """Take octets from the server."""
        found: list[events.NotificationEvent] = []
        try:
            frames = self._wire.read(data)
        except MsnpError as error:
            return [] if self.state is State.CLOSED else [self._fail("read", str(error))]
        for frame in frames:
            if self.state is State.CLOSED:
                break
            found.extend(self._frame(frame, now))
        return found

    def receive_eof(self, now: float) -> list[events.NotificationEvent]:
        """The server closed the connection."""
        if self.state is State.CLOSED:
            return []
        expected = self.state is State.LEAVING
        self._login.state = State.CLOSED
        return [events.Closed(expected)]

    def next_timeout(self) -> float | None:
        """When `poll` wants to be called."""
        if self.state is State.CLOSED:
            return None
        due = (self._login.lists_by, self._ping_at, self._pong_by, self._leave_by)
        return earliest(self._wire.next_deadline(), *due)

    def closing(self) -> bool:
        """True once nothing more will be said here: write what is left and close."""
        return self.state is State.CLOSED

    def poll(self, now: float) -> list[events.NotificationEvent]:
        """Send the keepalive that is due, find out what stayed unanswered."""
        if self.state is State.CLOSED:
            return []
        if self._leave_by is not None:
            return self._give_up() if self._leave_by <= now else []
        if self._login.lists_by is not None and self._login.lists_by <= now:
            return [self._fail("SYN", "the lists are incomplete")]
        if self._pong_by is not None and self._pong_by <= now:
            return [self._fail("ping", "the server does not answer")]
        if self._ping_at is not None and self._ping_at <= now:
            self._ping(now)
        return self._overdue(now)

    # --- sending -------------------------------------------------------------------------------------------------

    def _by(self, now: float) -> float:
        return now + self._me.step_timeout

    def _online(self) -> None:
        if self.state is not State.ONLINE:
            raise MsnpError("not signed on")

    def _ping(self, now: float) -> None:
        self._wire.bare("PNG")
        self._pong_by = now + PONG_WAIT
        self._ping_at = now + max(self._ping_interval, PONG_WAIT)

    def _give_up(self) -> list[events.NotificationEvent]:
        self._login.state = State.CLOSED
        return [events.Closed(True, False)]

    def _overdue(self, now: float) -> list[events.NotificationEvent]:
        late = self._wire.overdue(now)
        if late and self.state in UNDER_WAY:
            return [self._fail(late[0][1].verb, "no answer in time")]
        return [events.Refused(trid, item.verb, None, item.subject) for trid, item in late]

    def _fail(self, step: str, text: str, why: Trouble | None = None) -> events.Failed:
        self._login.state = State.CLOSED
        return events.Failed(step, text, why)

    # --- receiving -----------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if frame.code:
            return self._error(frame)
        try:
            if self.state in UNDER_WAY:
                found = self._login.frame(frame, now)
                if found is not None:
                    if self.state is State.ONLINE:
                        self._ping(now)
                    return found
            handler = _HANDLERS.get(frame.verb)
            return () if handler is None else handler(self, frame, now)
        except MsnpError as error:
            if self.state in UNDER_WAY and frame.verb in ("VER", "USR", "XFR"):
                return [self._fail(frame.verb, str(error))]
            return ()

    def _error(self, frame: Frame) -> Sequence[events.NotificationEvent]:
        why = trouble(frame.code)
        asked = self._wire.answered(frame.trid)
        if asked is None and frame.trid and self.state is State.ONLINE:
            return ()  # the answer to something we gave up waiting for, or to a UUM
        if asked is None or (self.state in UNDER_WAY and asked.verb not in _NOT_VITAL) or asked.verb == "QRY":
            return [self._fail(asked.verb if asked else "", why.text, why)]
        self._lists.forget(frame.trid)
        return [events.Refused(frame.trid, asked.verb, why, asked.subject)]

    def _presence(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        shown = commands.presence(frame, self.dialect)
        return () if shown.address == self._me.address.lower() else [events.PresenceChanged(shown)]

    def _ubx(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        who = commands.address(frame.arg(0))
        text = personal.parse(frame.payload or b"")
        return () if who == self._me.address.lower() else [events.NoteChanged(who, text)]

    def _msg(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        said = payload.parse(frame.payload or b"")
        minutes = notices.shutdown_in(said)
        if minutes is not None:
            return [events.GoingDown(minutes)]
        told = notices.waiting(said)
        return [] if told is None or told == ((), True) else [events.OfflineWaiting(*told)]

    def _ubm(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        """A message that did not come by a switchboard: from a federated network (14 and later)."""
        who = commands.address(frame.arg(0))
        said = payload.parse(frame.payload or b"")
        if said.content_type not in (payload.TEXT, ""):
            return ()
        return [events.DirectText(who, commands.network(frame.arg(0)), payload.decode_text(said))]

    def _listed(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        asked = self._wire.answered(frame.trid)
        if frame.verb == "REM":
            return [self._roster.removed(frame, asked, self.dialect)]
        return [self._roster.added(frame, asked)]

    def _members(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if frame.payload is None:
            self._wire.answered(frame.trid)
            return self._lists.confirmed(frame.trid)
        added = frame.verb == "ADL"
        members = membership.parse(frame.payload)
        change = self._roster.listed if added else _unlisted(self._roster)
        return [change(0, member.lists, member.address, member.name) for member in members]

    def _fqy(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        members = membership.parse(frame.payload or b"")
        return [events.Looked(frame.trid, member.address, member.network) for member in members]

    def _groups(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        return [self._roster.group_changed(frame, self.dialect)]

    def _renamed(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        changed = self._roster.renamed(frame, self.dialect)
        return () if changed is None else [changed]

    def _xfr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        kind, entry = commands.transfer(frame)
        asked = self._wire.answered(frame.trid)
        if kind == "NS":
            self._login.state = State.CLOSED
            return [events.Redirected(entry.endpoint)]
        return [events.SwitchboardGranted(frame.trid, entry)] if asked else ()

    def _rng(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        return [events.Rang(commands.ring(frame))]

    def _chl(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        product = self._me.product or challenge.product_for(self.dialect)
        digest = challenge.answer(frame.arg(1), product, self.dialect).encode()
        self._wire.ask("QRY", product.id, deadline=self._by(now), payload=digest)
        return ()

    def _acknowledged(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        return ()

    def _qng(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._pong_by = None
        self.presence_known = self.presence_known or self.state is State.ONLINE
        told = commands.number(frame.arg(0))
        self._ping_interval = float(min(max(told, 5), 600)) if told else PING_INTERVAL
        self._ping_at = now + self._ping_interval
        return ()

    def _out(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._login.state = State.CLOSED
        return [events.SignedOff(frame.arg(0), commands.number(frame.arg(1)))]


_NOT_VITAL = frozenset({"PRP", "UUX", "BLP"})  # a login stands without them


def _unlisted(roster: Roster) -> Callable[[int, Lists, str, str], events.ListChanged]:
    return lambda trid, lists, address, name: roster.unlisted(trid, lists, address)


_Handler = Callable[[NotificationClient, Frame, float], Sequence[events.NotificationEvent]]

_HANDLERS: dict[str, _Handler] = {
    "CHG": NotificationClient._acknowledged,
    "ILN": NotificationClient._presence,
    "NLN": NotificationClient._presence,
    "FLN": NotificationClient._presence,
    "UBX": NotificationClient._ubx,
    "MSG": NotificationClient._msg,
    "UBM": NotificationClient._ubm,
    "ADD": NotificationClient._listed,
    "ADC": NotificationClient._listed,
    "REM": NotificationClient._listed,
    "ADL": NotificationClient._members,
    "RML": NotificationClient._members,
    "FQY": NotificationClient._fqy,
    "ADG": NotificationClient._groups,
    "RMG": NotificationClient._groups,
    "REG": NotificationClient._groups,
    "REA": NotificationClient._renamed,
    "SBP": NotificationClient._renamed,
    "XFR": NotificationClient._xfr,
    "RNG": NotificationClient._rng,
    "CHL": NotificationClient._chl,
    "QRY": NotificationClient._acknowledged,
    "UUX": NotificationClient._acknowledged,
    "BLP": NotificationClient._acknowledged,
    "GTC": NotificationClient._acknowledged,
    "PRP": NotificationClient._acknowledged,
    "QNG": NotificationClient._qng,
    "OUT": NotificationClient._out,
}
