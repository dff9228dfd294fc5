"""What the client machine tells its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from opencpm.protocols.ymsg.contacts import Contact
from opencpm.protocols.ymsg.errors import Trouble
from opencpm.protocols.ymsg.presence import Presence


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """The server wants the proof of the web login: fetch crumb and cookies, then call ``token()``."""

    challenge: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The list is here; who of them is there follows as :class:`PresenceChanged`."""

    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class ListChanged:
    """The server sent the list again, after a change."""

    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    presences: tuple[Presence, ...]
    all_others_offline: bool = False  # the answer to a login names everybody who is there


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A text. ``sent_at``: seconds since the epoch, where it was stored for us; ``ident``: its own id (version 16).

    Confirm one that has an id with ``acknowledge`` once it is kept.
    """

    sender: str
    text: str
    sent_at: float = 0.0
    ident: str = ""
    stored: bool = False


@dataclass(frozen=True, slots=True)
class NudgeReceived:
    sender: str


@dataclass(frozen=True, slots=True)
class Typing:
    sender: str
    active: bool


@dataclass(frozen=True, slots=True)
class TextAcknowledged:
    """The peer's client has the text with this id (version 16)."""

    peer: str
    ident: str


@dataclass(frozen=True, slots=True)
class TextFailed:
    peer: str
    text: str  # the server's words


@dataclass(frozen=True, slots=True)
class ContactAsked:
    """Somebody has put us on their list, or asks to."""

    user: str
    text: str
    answerable: bool  # from version 13 on they wait for an answer


@dataclass(frozen=True, slots=True)
class ContactRefused:
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class ContactSettled:
    """How the server took a change of the list. ``code``: key 66; 0 and 2 (it was so already) are well."""

    verb: str  # "add", "remove", "ignore"
    user: str
    code: int


@dataclass(frozen=True, slots=True)
class Invited:
    """Into a conference."""

    room: str
    inviter: str
    members: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    room: str
    user: str


@dataclass(frozen=True, slots=True)
class Declined:
    room: str
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Left:
    room: str
    user: str


@dataclass(frozen=True, slots=True)
class RoomText:
    room: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class FileOffered:
    """A file that we have refused already: where old clients offer it is never to be fetched unasked."""

    sender: str
    name: str


@dataclass(frozen=True, slots=True)
class FileLinked:
    """A file that the service keeps for us: where it is, and what was written with it."""

    sender: str
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A word of the service to everybody."""

    text: str


@dataclass(frozen=True, slots=True)
class KeptAlive:
    """The server has answered the keepalive of this number (see ``YmsgClient.keepalive``): it has read all that was
    sent before."""

    number: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is of no more use."""

    step: str
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over, as both sides wished or the server's going down."""

    expected: bool


Event: TypeAlias = (
    TokenWanted
    | SignedIn
    | ListChanged
    | PresenceChanged
    | TextReceived
    | NudgeReceived
    | Typing
    | TextAcknowledged
    | TextFailed
    | ContactAsked
    | ContactRefused
    | ContactSettled
    | Invited
    | Joined
    | Declined
    | Left
    | RoomText
    | FileOffered
    | FileLinked
    | Notice
    | KeptAlive
    | Failed
    | Closed
)
