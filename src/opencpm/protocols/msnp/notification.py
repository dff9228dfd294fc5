"""The client's side of a notification server connection (dialects 8 and 12), without sockets or a clock.

    NEW -> VERSION -> CLIENT -> NAME -> TICKET -> LOGIN -> LISTS -> STATUS -> ONLINE -> CLOSED

Feed octets with `receive`, write what `take` hands out, call `poll` at `next_timeout`. Nothing a server
sends raises: what is not MSNP ends in a `Failed` event, a command that cannot be read is passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from opencpm.protocols.msnp import challenge, commands, events
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import MsnpError, Trouble, trouble
from opencpm.protocols.msnp.framing import Frame, quote, unquote
from opencpm.protocols.msnp.wire import Wire, earliest

PING_INTERVAL = 45.0  # seconds, until QNG tells another
PONG_WAIT = 30.0
SIGN_OFF_WAIT = 5.0
MAX_CONTACTS = 5000


class State(Enum):
    """How far the login is."""

    NEW = auto()
    VERSION = auto()
    CLIENT = auto()
    NAME = auto()
    TICKET = auto()
    LOGIN = auto()
    LISTS = auto()
    STATUS = auto()
    ONLINE = auto()
    LEAVING = auto()
    CLOSED = auto()


_LOGIN_STATES = frozenset(
    {State.VERSION, State.CLIENT, State.NAME, State.TICKET, State.LOGIN, State.LISTS, State.STATUS}
)


@dataclass(frozen=True, slots=True)
class SignOn:
    """Who signs on, and as which client. `client` are the CVR fields before the account's address."""

    address: str
    dialects: tuple[str, ...] = tuple(commands.DIALECTS)
    status: str = commands.ONLINE
    capabilities: int = commands.TEXT_CLIENT
    client: tuple[str, ...] = ("0x0409", "winnt", "5.1", "i386", "MSNMSGR", "7.5.0324", "msmsgs")
    product: challenge.Product | None = None  # None: the one that goes with the dialect
    step_timeout: float = 30.0  # seconds for each answer


class NotificationClient:
    """One signed-on account."""

    def __init__(self, sign_on: SignOn) -> None:
        self._me = sign_on
        self._wire = Wire()
        self._contacts: dict[str, Contact] = {}
        self._to_come = (0, 0)  # contacts and groups that SYN announced
        self._lists_by: float | None = None
        self._ping_interval = PING_INTERVAL
        self._ping_at: float | None = None
        self._pong_by: float | None = None
        self._leave_by: float | None = None
        self.dialect = 0
        self.state = State.NEW

    # --- what the owner calls ------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Open the conversation; call it once the connection stands."""
        self._ask(State.VERSION, now, "VER", *self._me.dialects, "CVR0")

    def ticket(self, ticket: str, now: float) -> None:
        """Go on with the login after `TicketWanted`."""
        if self.state is not State.TICKET:
            raise MsnpError("no ticket was asked for")
        self._ask(State.LOGIN, now, "USR", "TWN", "S", ticket)

    def status(self, state: str, now: float) -> None:
        """Publish another presence, or HDN to be seen by nobody (then nobody can be invited either)."""
        if state not in commands.OWN_STATES:
            raise MsnpError(f"not a state to publish: {state[:10]!r}")
        self._online()
        self._wire.ask("CHG", state, self._me.capabilities, deadline=now + self._me.step_timeout)

    def switchboard(self, now: float) -> int:
        """Ask for a switchboard; the answer is `SwitchboardGranted` or `Refused` with the id returned here."""
        self._online()
        return self._wire.ask("XFR", "SB", deadline=now + self._me.step_timeout)

    def add(self, to: Lists, address: str, name: str, now: float) -> int:
        """Put somebody on one of our lists (FL, AL or BL)."""
        self._online()
        if to not in (Lists.FL, Lists.AL, Lists.BL):
            raise MsnpError("only FL, AL and BL are ours")
        where, label = commands.address(address), quote(name or address)
        if self.dialect < 10:
            fields: tuple[str, ...] = (where, label)
        else:
            fields = (f"N={where}", f"F={label}") if to is Lists.FL else (f"N={where}",)
        verb = "ADD" if self.dialect < 10 else "ADC"
        return self._wire.ask(verb, str(to.name), *fields, deadline=now + self._me.step_timeout, subject=where)

    def remove(self, off: Lists, address: str, now: float) -> int:
        """Take somebody off one of our lists."""
        self._online()
        where = commands.address(address)
        known = self._contacts.get(where)
        by_guid = self.dialect >= 10 and off is Lists.FL and known is not None and known.guid
        target = known.guid if known and by_guid else where
        deadline = now + self._me.step_timeout
        return self._wire.ask("REM", str(off.name), target, deadline=deadline, subject=where)

    def sign_off(self, now: float) -> None:
        """Leave; the server answers by closing the connection."""
        if self.state not in (State.NEW, State.LEAVING, State.CLOSED):
            self._wire.bare("OUT")
            self.state = State.LEAVING
            self._leave_by = now + SIGN_OFF_WAIT

    @property
    def contacts(self) -> dict[str, Contact]:
        """Everybody on one of the lists, by address."""
        return dict(self._contacts)

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
        self.state = State.CLOSED
        return [events.Closed(expected)]

    def next_timeout(self) -> float | None:
        """When `poll` wants to be called."""
        if self.state is State.CLOSED:
            return None
        due = (self._lists_by, self._ping_at, self._pong_by, self._leave_by)
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
        if self._lists_by is not None and self._lists_by <= now:
            return [self._fail("SYN", "the lists are incomplete")]
        if self._pong_by is not None and self._pong_by <= now:
            return [self._fail("ping", "the server does not answer")]
        if self._ping_at is not None and self._ping_at <= now:
            self._ping(now)
        return self._overdue(now)

    # --- sending -------------------------------------------------------------------------------------------------

    def _ask(self, state: State, now: float, verb: str, *args: str | int) -> None:
        self._wire.ask(verb, *args, deadline=now + self._me.step_timeout)
        self.state = state

    def _online(self) -> None:
        if self.state is not State.ONLINE:
            raise MsnpError("not signed on")

    def _ping(self, now: float) -> None:
        self._wire.bare("PNG")
        self._pong_by = now + PONG_WAIT
        self._ping_at = now + max(self._ping_interval, PONG_WAIT)

    def _give_up(self) -> list[events.NotificationEvent]:
        self.state = State.CLOSED
        return [events.Closed(True, False)]

    def _overdue(self, now: float) -> list[events.NotificationEvent]:
        late = self._wire.overdue(now)
        if late and self.state in _LOGIN_STATES:
            return [self._fail(late[0][1].verb, "no answer in time")]
        return [events.Refused(trid, item.verb, None, item.subject) for trid, item in late]

    def _fail(self, step: str, text: str, why: Trouble | None = None) -> events.Failed:
        self.state = State.CLOSED
        return events.Failed(step, text, why)

    # --- receiving -----------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if frame.code:
            return self._error(frame)
        handler = _HANDLERS.get(frame.verb)
        if handler is None:
            return ()
        try:
            return handler(self, frame, now)
        except MsnpError as error:
            if self.state in _LOGIN_STATES and frame.verb in ("VER", "USR", "XFR"):
                return [self._fail(frame.verb, str(error))]
            return ()

    def _error(self, frame: Frame) -> Sequence[events.NotificationEvent]:
        why = trouble(frame.code)
        asked = self._wire.answered(frame.trid)
        if asked is None and frame.trid and self.state is State.ONLINE:
            return ()  # the answer to something we gave up waiting for
        if asked is None or self.state in _LOGIN_STATES or asked.verb == "QRY":
            return [self._fail(asked.verb if asked else "", why.text, why)]
        return [events.Refused(frame.trid, asked.verb, why, asked.subject)]

    def _ver(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is not State.VERSION or not self._wire.answered(frame.trid):
            return ()
        chosen = frame.arg(1).upper()
        if chosen not in self._me.dialects or chosen not in commands.DIALECTS:
            return [self._fail("VER", "no dialect in common")]
        self.dialect = commands.DIALECTS[chosen]
        self._ask(State.CLIENT, now, "CVR", *self._me.client, self._me.address)
        return ()

    def _cvr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is State.CLIENT and self._wire.answered(frame.trid):
            self._ask(State.NAME, now, "USR", "TWN", "I", self._me.address)
        return ()

    def _usr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is State.NAME and frame.arg(1) == "TWN" and frame.arg(2) == "S":
            self._wire.answered(frame.trid)
            self.state = State.TICKET
            return [events.TicketWanted(frame.arg(3))]
        if self.state is State.LOGIN and frame.arg(1) == "OK":
            self._wire.answered(frame.trid)
            stamps = ("0",) if self.dialect < 10 else ("0", "0")
            self._ask(State.LISTS, now, "SYN", *stamps)
        return ()

    def _syn(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is not State.LISTS or not self._wire.answered(frame.trid):
            return ()
        counts = frame.args[2:4] if self.dialect < 10 else frame.args[3:5]
        contacts, groups = (*map(commands.number, counts), 0, 0)[:2]
        self._to_come = contacts, groups
        self._lists_by = now + self._me.step_timeout
        return self._lists_progress(now)

    def _lst(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        contacts, groups = self._to_come
        self._to_come = contacts - 1, groups
        try:
            self._remember(commands.contact(frame, self.dialect))
        finally:
            self._lists_progress(now)  # a line that cannot be read still counts
        return ()

    def _lsg(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        contacts, groups = self._to_come
        self._to_come = contacts, groups - 1
        return self._lists_progress(now)

    def _lists_progress(self, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is State.LISTS and max(self._to_come) <= 0:
            self._lists_by = None
            self._ask(State.STATUS, now, "CHG", self._me.status, self._me.capabilities)
        return ()

    def _chg(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        if self.state is not State.STATUS:
            return ()
        self.state = State.ONLINE
        self._ping(now)
        name = f"MSNP{self.dialect}"
        return [events.SignedIn(name, tuple(self._contacts.values()))]

    def _remember(self, contact: Contact) -> None:
        if contact.address in self._contacts or len(self._contacts) < MAX_CONTACTS:
            self._contacts[contact.address] = contact

    def _presence(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        shown = commands.presence(frame, self.dialect)
        return () if shown.address == self._me.address.lower() else [events.PresenceChanged(shown)]

    def _added(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        asked = self._wire.answered(frame.trid)
        which = _one_list(frame.arg(1))
        keyed, _ = commands.keyed_fields(frame.args[2:])
        if frame.verb == "ADD":
            who, name, guid = frame.arg(3), unquote(frame.arg(4)), ""
        else:
            who, name, guid = keyed.get("N", ""), unquote(keyed.get("F", "")), keyed.get("C", "")
        where = commands.address(who or (asked.subject if asked else ""))
        known = self._contacts.get(where, Contact(where, "", Lists(0)))
        contact = Contact(where, name or known.name, known.lists | which, guid or known.guid)
        self._remember(contact)
        return [events.ListChanged(frame.trid, True, which, contact)]

    def _removed(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        asked = self._wire.answered(frame.trid)
        which, who = _one_list(frame.arg(1)), frame.args[-1]
        by_guid = next((item.address for item in self._contacts.values() if item.guid == who), who)
        where = commands.address(asked.subject if asked else by_guid)
        known = self._contacts.pop(where, Contact(where, "", which))
        contact = known._replace(lists=known.lists & ~which)
        if contact.lists:
            self._remember(contact)
        return [events.ListChanged(frame.trid, False, which, contact)]

    def _xfr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        kind, entry = commands.transfer(frame)
        asked = self._wire.answered(frame.trid)
        if kind == "NS":
            self.state = State.CLOSED
            return [events.Redirected(entry.endpoint)]
        return [events.SwitchboardGranted(frame.trid, entry)] if asked else ()

    def _rng(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        return [events.Rang(commands.ring(frame))]

    def _chl(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        product = self._me.product or challenge.product_for(self.dialect)
        digest = challenge.answer(frame.arg(1), product, self.dialect).encode()
        self._wire.ask("QRY", product.id, deadline=now + self._me.step_timeout, payload=digest)
        return ()

    def _acknowledged(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._wire.answered(frame.trid)
        return ()

    def _qng(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._pong_by = None
        told = commands.number(frame.arg(0))
        self._ping_interval = float(min(max(told, 5), 600)) if told else PING_INTERVAL
        self._ping_at = now + self._ping_interval
        return ()

    def _out(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self.state = State.CLOSED
        return [events.SignedOff(frame.arg(0), commands.number(frame.arg(1)))]


def _one_list(name: str) -> Lists:
    if name not in Lists.__members__:
        raise MsnpError(f"not a list: {name[:10]!r}")
    return Lists[name]


_Handler = Callable[[NotificationClient, Frame, float], Sequence[events.NotificationEvent]]

_HANDLERS: dict[str, _Handler] = {
    "VER": NotificationClient._ver,
    "CVR": NotificationClient._cvr,
    "USR": NotificationClient._usr,
    "SYN": NotificationClient._syn,
    "LST": NotificationClient._lst,
    "LSG": NotificationClient._lsg,
    "CHG": NotificationClient._chg,
    "ILN": NotificationClient._presence,
    "NLN": NotificationClient._presence,
    "FLN": NotificationClient._presence,
    "ADD": NotificationClient._added,
    "ADC": NotificationClient._added,
    "REM": NotificationClient._removed,
    "XFR": NotificationClient._xfr,
    "RNG": NotificationClient._rng,
    "CHL": NotificationClient._chl,
    "QRY": NotificationClient._acknowledged,
    "UUX": NotificationClient._acknowledged,
    "QNG": NotificationClient._qng,
    "OUT": NotificationClient._out,
}
