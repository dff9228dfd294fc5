"""What the client machines tell their owner. Plain values; times and sockets stay outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from opencpm.protocols.msnp.commands import Contact, Endpoint, Lists, Pass, Presence, Ring
from opencpm.protocols.msnp.dialects import Login
from opencpm.protocols.msnp.errors import Trouble
from opencpm.protocols.msnp.notices import Waiting
from opencpm.protocols.msnp.payload import Payload

# --- both machines -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is of no more use. `trouble` explains an error number, None where there was none."""

    step: str
    text: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One command failed, the connection lives. None in `trouble`: no answer came in time.

    `verb` names the command, `subject` whom it was about (the address of a CAL, an ADC).
    """

    trid: int
    verb: str
    trouble: Trouble | None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over; `expected` when we had sent OUT. Not `answered`: the server did not close in time."""

    expected: bool
    answered: bool = True


# --- notification server -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketWanted:
    """The login needs its proof: get it, then call `ticket()`.

    MD5: `parameters` is the challenge. TICKET: they are for the Passport login, or with `from_rst` a token of the token
    service is wanted. TOKEN: they name the policy of the token, and `nonce` goes into the response.
    """

    parameters: str
    login: Login = Login.TICKET
    nonce: str = ""
    from_rst: bool = False


@dataclass(frozen=True, slots=True)
class ListsWanted:
    """The login needs the address book and the memberships of the web services, then call `lists()`."""


@dataclass(frozen=True, slots=True)
class Redirected:
    """Close, connect there and begin again."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The lists are here and our presence is published: now people may be invited."""

    dialect: str
    contacts: tuple[Contact, ...]
    groups: Mapping[str, str] = field(default_factory=dict)  # id and name


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A contact's presence; everybody counts as offline until told otherwise."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class ListChanged:
    """Somebody was put on a list or taken off it; trid 0 when it was not our doing."""

    trid: int
    added: bool
    lists: Lists
    contact: Contact


@dataclass(frozen=True, slots=True)
class NoteChanged:
    """A contact's personal message; empty: none."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class GroupingChanged:
    """A contact came into a group or left it."""

    trid: int
    contact: Contact


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group was made or renamed (`kept`), or removed."""

    trid: int
    group: str
    name: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """The answer to FQY: which network the address is on (1 MSN, 32 Yahoo; 0 not told)."""

    trid: int
    address: str
    network: int


@dataclass(frozen=True, slots=True)
class OfflineWaiting:
    """The service keeps messages for us. Not `complete`: there are more than it tells, fetch the list."""

    waiting: tuple[Waiting, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class DirectText:
    """A text that came without a switchboard, from somebody on a federated network."""

    sender: str
    network: int
    text: str


@dataclass(frozen=True, slots=True)
class GoingDown:
    """The server tells that it will go down in so many minutes."""

    minutes: int


@dataclass(frozen=True, slots=True)
class SwitchboardGranted:
    """The answer to `switchboard()`: a pass good once, for about 120 s."""

    trid: int
    entry: Pass


@dataclass(frozen=True, slots=True)
class Rang:
    """Somebody invites us; answer at once, the pass is good for about 60 s."""

    ring: Ring


@dataclass(frozen=True, slots=True)
class SignedOff:
    """The server ends the session: OTH signed in elsewhere, SSD going down, RCT come back after `minutes`."""

    reason: str
    minutes: int = 0


# --- switchboard -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Admitted:
    """We are in the switchboard. After ANS the people already there are `peers`."""

    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ringing:
    """The service invites the peer; he has not joined yet."""

    address: str
    session: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A peer came in: from now on messages reach him."""

    address: str
    name: str
    capabilities: int


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An invited peer did not come in time; `rang` when the service had reached out to him."""

    address: str
    rang: bool


@dataclass(frozen=True, slots=True)
class Left:
    """A peer left; with `remaining` 0 the switchboard is dead and only to be closed."""

    address: str
    idle: bool
    remaining: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `name` is what the sender calls himself."""

    sender: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    """The sender is writing; it lapses after about 10 s."""

    sender: str


@dataclass(frozen=True, slots=True)
class Nudged:
    """The sender shook our window."""

    sender: str


@dataclass(frozen=True, slots=True)
class Offered:
    """Something we do not take (a file or a voice call of the old kind): `cookie` names the invitation to refuse."""

    sender: str
    content_type: str
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class PeerData:
    """A packet of peer-to-peer data, for `transfers`."""

    sender: str
    said: Payload


@dataclass(frozen=True, slots=True)
class Accepted:
    """ACK: the service took the message. It does not say that anybody saw it."""

    trid: int


@dataclass(frozen=True, slots=True)
class Lost:
    """NAK, or no ACK in time, or (`gone`) the switchboard died or emptied before it: nobody will say any more what
    became of the message."""

    trid: int
    cause: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was said for long: close it."""


NotificationEvent: TypeAlias = (
    Failed
    | Refused
    | Closed
    | TicketWanted
    | ListsWanted
    | Redirected
    | SignedIn
    | PresenceChanged
    | NoteChanged
    | ListChanged
    | GroupingChanged
    | GroupChanged
    | Looked
    | OfflineWaiting
    | DirectText
    | GoingDown
    | SwitchboardGranted
    | Rang
    | SignedOff
)
SwitchboardEvent: TypeAlias = (
    Failed
    | Refused
    | Closed
    | Admitted
    | Ringing
    | Joined
    | NoAnswer
    | Left
    | Text
    | Typing
    | Nudged
    | Offered
    | PeerData
    | Accepted
    | Lost
    | Idle
)
