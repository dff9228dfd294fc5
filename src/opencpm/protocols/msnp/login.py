"""From an open connection to a published presence, for every kind of login and of lists.

    NEW -> VERSION -> CLIENT -> [METHOD ->] NAME -> TICKET -> LOGIN -> LISTS -> [MEMBERS ->] STATUS -> ONLINE

METHOD is the INF of dialects 2 to 7, MEMBERS the BLP and ADL of 13 and later. In TICKET the owner works out what
proves the account and calls `ticket`; in LISTS from dialect 13 on he reads the address book and calls `lists`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from opencpm.protocols.msnp import challenge, commands, dialects, events, membership, personal
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.dialects import Listing, Login
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, quote, unquote
from opencpm.protocols.msnp.membership import Member
from opencpm.protocols.msnp.roster import Roster
from opencpm.protocols.msnp.wire import Wire


class State(Enum):
    """How far the login is."""

    NEW = auto()
    VERSION = auto()
    CLIENT = auto()
    METHOD = auto()
    NAME = auto()
    TICKET = auto()
    LOGIN = auto()
    LISTS = auto()
    MEMBERS = auto()
    STATUS = auto()
    ONLINE = auto()
    LEAVING = auto()
    CLOSED = auto()


UNDER_WAY = frozenset(set(State) - {State.NEW, State.ONLINE, State.LEAVING, State.CLOSED})


@dataclass(frozen=True, slots=True)
class SignOn:
    """Who signs on, and as which client. `client` are the CVR fields before the account's address, empty for those that
    go with the dialect. `machine` (`{GUID}`) names this place from dialect 16 on. `message` is the personal message to
    publish, None for none; `extended` the second number of capabilities (16 and later)."""

    address: str
    dialects: tuple[str, ...] = dialects.OFFERED
    status: str = commands.ONLINE
    capabilities: int = commands.TEXT_CLIENT
    client: tuple[str, ...] = ()
    product: challenge.Product | None = None  # None: the one that goes with the dialect
    step_timeout: float = 30.0  # seconds for each answer
    extended: int = 0
    machine: str = ""
    message: str | None = None


Fail = Callable[[str, str], events.Failed]


class SigningOn:
    """The steps of one login. `fail` ends the connection and makes the event that says why. Raises only MsnpError."""

    def __init__(self, me: SignOn, wire: Wire, roster: Roster, fail: Fail) -> None:
        self._me, self._wire, self._roster, self._fail = me, wire, roster, fail
        self._to_come = (0, 0)  # contacts and groups that SYN announced
        self._members = 0  # ADLs without their OK
        self._publishing = ""  # our name, once the lists are known to the service
        self.lists_by: float | None = None
        self.dialect = 0
        self.name = ""  # what the account calls itself, as far as the service said
        self.state = State.NEW

    # --- what the owner does -------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        self._ask(State.VERSION, now, "VER", *self._me.dialects, "CVR0")

    def ticket(self, ticket: str, response: str, now: float) -> None:
        if self.state is not State.TICKET:
            raise MsnpError("no ticket was asked for")
        fields = [ticket]
        if dialects.login(self.dialect) is Login.TOKEN:
            fields.append(response)
            if dialects.has_places(self.dialect):
                fields.append(self._me.machine)
        self._ask(State.LOGIN, now, "USR", dialects.login(self.dialect).value, "S", *fields)

    def lists(
        self,
        contacts: Iterable[Contact],
        groups: Iterable[tuple[str, str]],
        privacy: str,
        name: str,
        now: float,
    ) -> None:
        if self.state is not State.LISTS or dialects.listing(self.dialect) is not Listing.WEB:
            raise MsnpError("no lists were asked for")
        self._roster.fill(contacts, groups)
        self._publishing = self.name = name
        if privacy:
            self._wire.ask("BLP", privacy, deadline=now + self._me.step_timeout)
        ours = Lists.FL | Lists.AL | Lists.BL
        members = [Member(c.address, c.lists, name=c.name) for c in self._roster.contacts.values() if c.lists & ours]
        payloads = membership.build(members, initial=True)
        self._members = len(payloads)
        for payload in payloads:
            self._wire.ask("ADL", deadline=now + self._me.step_timeout, payload=payload)
        self.state = State.MEMBERS

    # --- what the server says ------------------------------------------------------------------------------------

    def frame(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent] | None:
        """None: this command has nothing to do with the login."""
        step = _STEPS.get(frame.verb)
        return None if step is None else step(self, frame, now)

    def _ask(self, state: State, now: float, verb: str, *args: str | int) -> None:
        self._wire.ask(verb, *args, deadline=now + self._me.step_timeout)
        self.state = state

    def _ver(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is not State.VERSION or not self._wire.answered(frame.trid):
            return ()
        chosen = frame.arg(1).upper()
        if chosen not in self._me.dialects or chosen not in dialects.ALL:
            return [self._fail("VER", "no dialect in common")]
        self.dialect = dialects.ALL[chosen]
        if dialects.has_places(self.dialect) and not self._me.machine:
            return [self._fail("VER", f"{chosen} needs a machine's GUID")]
        client = self._me.client or dialects.client_for(self.dialect)
        self._ask(State.CLIENT, now, "CVR", *client, self._me.address)
        return ()

    def _cvr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is State.CLIENT and self._wire.answered(frame.trid):
            if dialects.login(self.dialect) is Login.MD5:
                self._ask(State.METHOD, now, "INF")
            else:
                self._say_who(now)
        return ()

    def _inf(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is not State.METHOD or not self._wire.answered(frame.trid):
            return ()
        if Login.MD5.value not in frame.args[1:]:
            return [self._fail("INF", "the service wants a login of its own")]
        self._say_who(now)
        return ()

    def _say_who(self, now: float) -> None:
        self._ask(State.NAME, now, "USR", dialects.login(self.dialect).value, "I", self._me.address)

    def _usr(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        kind = dialects.login(self.dialect)
        if self.state is State.NAME and frame.arg(1) == kind.value and frame.arg(2) == "S":
            self._wire.answered(frame.trid)
            self.state = State.TICKET
            return [events.TicketWanted(frame.arg(3), kind, frame.arg(4), dialects.tickets_from_rst(self.dialect))]
        if self.state is State.LOGIN and frame.arg(1) == "OK":
            self._wire.answered(frame.trid)
            return self._accepted(frame, now)
        return ()

    def _accepted(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        kind = dialects.listing(self.dialect)
        if kind is Listing.WEB:
            self.state = State.LISTS
            return [events.ListsWanted()]
        if kind is not Listing.KEYED:
            self.name = unquote(frame.arg(3))
        self._ask(State.LISTS, now, "SYN", *(("0", "0") if kind is Listing.KEYED else ("0",)))
        return ()

    # --- lists ---------------------------------------------------------------------------------------------------

    def _syn(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        if self.state is not State.LISTS or not self._wire.answered(frame.trid):
            return ()
        kind = dialects.listing(self.dialect)
        if kind is Listing.BY_LIST:
            self._to_come = (0, 0) if frame.arg(1) == "0" else (1, 0)  # "0" is what we have: nothing follows
        else:
            counts = frame.args[2:4] if kind is Listing.BY_CONTACT else frame.args[3:5]
            contacts, groups = (*map(commands.number, counts), 0, 0)[:2]
            self._to_come = contacts, groups
        self.lists_by = now + self._me.step_timeout
        self._progress(now)
        return ()

    def _lst(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        contacts, groups = self._to_come
        if dialects.listing(self.dialect) is Listing.BY_LIST:
            last = frame.arg(1) == "RL" and frame.arg(3) == frame.arg(4)
            self._to_come = (contacts - last, groups)
        else:
            self._to_come = contacts - 1, groups
        try:
            self._roster.lst(frame, self.dialect)
        finally:
            self._progress(now)  # a line that cannot be read still counts
        return ()

    def _lsg(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        self._roster.lsg(frame, self.dialect)
        if dialects.listing(self.dialect) is not Listing.BY_LIST:
            contacts, groups = self._to_come
            self._to_come = contacts, groups - 1
            self._progress(now)
        return ()

    def _progress(self, now: float) -> None:
        if self.state is State.LISTS and self.lists_by is not None and max(self._to_come) <= 0:
            self.lists_by = None
            self._publish(now)

    def _adl(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent] | None:
        if self.state is not State.MEMBERS or frame.arg(1) != "OK" or not self._wire.answered(frame.trid):
            return None
        self._members -= 1
        if self._members <= 0:
            self._publish(now)
        return ()

    def _prp(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent]:
        asked = self._wire.answered(frame.trid)
        kind, name = (frame.arg(1), frame.arg(2)) if asked else (frame.arg(0), frame.arg(1))
        if kind == "MFN":
            self.name = unquote(name)
        return ()

    def _publish(self, now: float) -> None:
        """The lists are complete: who we are and that we are here."""
        deadline = now + self._me.step_timeout
        if self._publishing:
            self._wire.ask("PRP", "MFN", quote(self._publishing), deadline=deadline)
        if self._me.message is not None and dialects.has_personal_message(self.dialect):
            place = self._me.machine if dialects.has_places(self.dialect) else ""
            self._wire.ask("UUX", deadline=deadline, payload=personal.build(self._me.message, place))
        self._ask(State.STATUS, now, "CHG", *self.presence(self._me.status))

    def presence(self, state: str) -> tuple[str, ...]:
        """The fields of CHG."""
        if not dialects.has_capabilities(self.dialect):
            return (state,)
        caps = str(self._me.capabilities)
        return state, f"{caps}:{self._me.extended}" if dialects.has_places(self.dialect) else caps

    def _chg(self, frame: Frame, now: float) -> Sequence[events.NotificationEvent] | None:
        if self.state is not State.STATUS:
            return None
        self._wire.answered(frame.trid)
        self.state = State.ONLINE
        roster = self._roster
        return [events.SignedIn(f"MSNP{self.dialect}", tuple(roster.contacts.values()), dict(roster.groups))]


_Step = Callable[[SigningOn, Frame, float], Sequence[events.NotificationEvent] | None]

_STEPS: dict[str, _Step] = {
    "VER": SigningOn._ver,
    "CVR": SigningOn._cvr,
    "INF": SigningOn._inf,
    "USR": SigningOn._usr,
    "SYN": SigningOn._syn,
    "LST": SigningOn._lst,
    "LSG": SigningOn._lsg,
    "ADL": SigningOn._adl,
    "PRP": SigningOn._prp,
    "CHG": SigningOn._chg,
}
