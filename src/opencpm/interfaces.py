"""The page to read first: how the rooms of the house talk to each other.

A message comes in through a :class:`Connector` (a device's access or a foreign network), which hands it to the
:class:`Inbox`. Messaging commits it to the :class:`Store`, asks selection for a plan, and hands a delivery to the
connector the plan names. What became of it comes back through the Inbox as outcomes and reports. A session joins two
:class:`Leg` objects, one per side.

Rules of the house, numbered so that tests and reviews can name them:

 1. ``Inbox.received`` and ``Inbox.reported`` call ``done`` only after the commit (or the refusal). A connector gives
    its peer a positive answer only from ``done``, never before.
 2. Methods that are not ``async`` never block and never await; they are called on the event loop with batches, and a
    single message is a batch of one. ``done`` is called on the loop, possibly before the call returns.
 3. ``Connector.send`` takes every delivery it is given. For each it reports exactly one outcome through
    ``Inbox.settled``, also when it cannot even try. It gives up by itself before ``delivery.deadline``.
 4. Every id a connector puts on a wire is derived from ``delivery.id``, so a resend repeats it.
 5. A connector never decides who gets what and never falls back to another network: it reports and messaging selects.
 6. ``Outcome`` and ``Report`` say only what the network said, and name who said it.
 7. Errors towards messaging are :class:`~opencpm.domain.errors.SendError` and nothing else.
 8. Cancelling ``Connector.run`` closes every connection in good order.
 9. A connector with ``profile.needs_account`` tells the state of each account through ``Inbox.account_changed``; one
    whose network refused the password is not tried again before its ``revision`` rises.
10. Where ``profile.rosters``: the network's whole list is told through ``Inbox.roster`` after every sign-on and every
    change, and only then ``Directory.roster_changes`` is asked (and again whenever the directory changed); what came
    of each change is told through ``Inbox.roster_settled``. A connector keeps no wishes of its own.
11. Where ``profile.presence``: what the network tells of its people goes to ``Inbox.presence_changed``, and what a
    subscriber publishes (``Subscriber.presence``) is published there, again whenever the directory changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from opencpm.domain.account import AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import Delivery, DeliveryState, Notice, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import Group, GroupWish
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Message, Part, Replacement
from opencpm.domain.number import NumberFacts
from opencpm.domain.plan import Form
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability, Fit, Health, Profile, Reach
from opencpm.domain.report import Reference, Report
from opencpm.domain.roster import ContactRequest, RosterChange, RosterEntry
from opencpm.domain.session import CloseReason, Composing, SessionOffer, SessionState
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.domain.trail import TrailEntry

# ---------------------------------------------------------------------------------------------- time and ids


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""


class Ids(Protocol):
    def new(self) -> str:
        """A fresh, unguessable id: 24 hex digits."""


# ------------------------------------------------------------------------------------------- towards messaging

Done = Callable[[Sequence["SendError | None"]], None]
"""Called with one verdict per message handed in, in order: ``None`` when it is durably stored, else why not."""


class Inbox(Protocol):
    """Messaging, as connectors see it. One object serves all connectors."""

    def received(self, messages: Sequence[Message], done: Done) -> None:
        """Messages from a device or network. Repeated ones (same ``Message.id``) are stored once and accepted again."""

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """How attempts ended."""

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        """What became of deliveries. Reports that match nothing yet are parked durably; ``done`` is always called."""

    async def invited(self, offer: SessionOffer, leg: Leg) -> LegEvents:
        """Somebody asks for a session. Messaging calls ``leg.ringing()`` while the other side is alerted.

        Returns when the other side has answered: from then on the connector feeds what its side does into the
        returned events. Cancelling this call withdraws the invitation. ``offer.first`` counts as the first message.

        :raises SendError: the session is refused; the connector tells its side why.
        """

    def turned_away(self, who: str, reason: str, what: str) -> None:
        """Somebody was refused before a message came of it (wrong password, unknown user, malformed, too large).

        ``who`` they claim to be (a URI), ``reason`` a :class:`~opencpm.domain.errors.Reason` value, ``what`` a sentence
        without secrets. Leaves a line in the trail of ``who``; cheap, and bounded however often it is called.
        """

    def composing(self, sender: Address, recipient: Address, composing: Composing) -> None:
        """Typing outside a session. Relayed to devices that are online, else dropped; never stored."""

    def reach_changed(self, network: str, subscriber: str, reach: Reach) -> None:
        """A subscriber's device appeared or went (access connectors), so that what waits for them can be pushed."""

    def presence_changed(
        self, network: str, owner: str, address: Address, presence: Presence, account: Address | None = None
    ) -> None:
        """What ``owner`` (Subscriber.id) may know of somebody on a foreign network.

        ``account``: the owner's account that sees it; None where the network has no linked accounts. UNKNOWN: nothing
        is known any more (signed out, not on the list). Telling the same again does nothing.
        """

    def account_changed(self, network: str, owner: str, account: Address, status: AccountStatus) -> None:
        """How a linked account is now; see :class:`~opencpm.domain.account.AccountState`."""

    def roster(self, network: str, owner: str, entries: Sequence[RosterEntry], account: Address | None = None) -> None:
        """The whole list that a network keeps for an account, as it is now.

        It is merged into the owner's address book: people whom the book does not have come in, the rest is remembered
        beside what the user wrote; nobody leaves the book because a network dropped them (``messaging/merge.py``).
        Durable when the call returns.
        """

    def roster_settled(
        self,
        network: str,
        owner: str,
        change: RosterChange,
        error: SendError | None = None,
        account: Address | None = None,
    ) -> None:
        """A change of :meth:`Directory.roster_changes` was carried out, or could not be. One that failed for good
        (not ``error.retryable``) is not asked for again."""

    def contact_asked(self, request: ContactRequest) -> None:
        """Somebody wants ``request.owner`` on their list. Durable when the call returns; asking again does nothing.

        The answer comes as a change (ACCEPT or DECLINE) of :meth:`Directory.roster_changes`, perhaps much later.
        """

    def health_changed(self, network: str, health: Health) -> None:
        """A link came up or went down, so that what waits for it can be sent."""

    @property
    def recalls(self) -> Recalls:
        """Messages taken back or replaced by who sent them."""

    @property
    def presences(self) -> Presences:
        """Presence, for accesses whose devices have it."""

    @property
    def groups(self) -> Groups:
        """Group sessions, for accesses whose devices have them."""


Recalled = Callable[["SendError | None"], None]
"""Called after the commit: ``None`` when all that was asked for is done, else what is not, and why."""


class Recalls(Protocol):
    """Messages taken back or replaced. Only who sent one may: to everybody else there is none (BARRED).

    What waits here is stopped. What a network has accepted is asked back where it can be (``Profile.recalls``). All
    else has gone too far (TOO_LATE); while it is being handed over nobody knows yet, and asking again may help
    (TOO_LATE, retryable).
    """

    def cancel(self, message_id: str, by: Address, done: Recalled, recipient: Address | None = None) -> None:
        """Take a message (``Message.id``) back, from one receiver or from all; ``by`` is who asks. What was taken back
        before counts as done."""

    def replace(self, message_id: str, by: Address, instead: Replacement, done: Recalled) -> None:
        """Put something else in its place, under the same ids, where nobody has it yet: all of it or nothing.

        Other errors: those of a message that is handed in.
        """


Heard = Callable[[Presence], None]
"""Told of every later presence of somebody who is followed."""


class Presences(Protocol):
    """Presence, for accesses whose devices publish and follow it."""

    def published(self, subscriber: Address, availability: Availability, note: str) -> None:
        """How a subscriber wants to appear, said by a device of theirs."""

    def follow(self, watcher: Address, target: Address, heard: Heard) -> tuple[Presence, Callable[[], None]]:
        """How somebody is, as far as ``watcher`` may know: another subscriber, or a person on a foreign network.

        The second value ends it. Who has blocked the watcher is offline to them.

        :raises SendError: the watcher is nobody here.
        """


class Groups(Protocol):
    """Group sessions, as accesses see them. The focus is messaging: it joins legs of members, and those who have none
    are reached by messages. Every method raises :class:`SendError` (BARRED, UNKNOWN_ADDRESS, TOO_LARGE) for what may
    not be done, with a sentence for the person who tried."""

    async def convened(self, wish: GroupWish, leg: Leg | None) -> tuple[Group, LegEvents]:
        """Somebody calls a group together and takes part by ``leg`` (None: their devices are invited like others').

        Durable on return; the members are invited after it. A wish with the Contribution-ID of a group that there is
        revives that one, and who is named in addition is invited into it.
        """

    def joined(self, focus: Address, member: Address, leg: Leg) -> tuple[Group, LegEvents]:
        """A member comes (back) by themselves; a leg they had is closed."""

    def added(self, focus: Address, by: Address, whom: Sequence[Address]) -> Group: ...

    def removed(self, focus: Address, by: Address, whom: Address) -> Group:
        """Also oneself: that is leaving."""

    def renamed(self, focus: Address, by: Address, subject: str) -> Group:
        """Another subject, told to everybody who follows the group."""

    def follow(self, focus: Address, by: Address, heard: Callable[[Group], None]) -> tuple[Group, Callable[[], None]]:
        """The group now, every later version of it through ``heard``, and what ends that."""

    def stored(self, done: Callable[[], None]) -> None:
        """Call ``done`` once every change until now is durable: only then whoever asked for it hears that it is so."""

    def is_focus(self, address: Address) -> bool:
        """Whether an address has the form of a group's."""


class LegEvents(Protocol):
    """Where a leg puts what its side does, once the session is being set up or stands."""

    def ringing(self) -> None:
        """Outgoing legs: the far side is being alerted."""

    def received(self, messages: Sequence[Message], done: Done) -> None:
        """Texts from this side (``kind`` CHAT). The same promise as :meth:`Inbox.received`."""

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """How deliveries given to :meth:`Leg.send` ended."""

    def composing(self, composing: Composing) -> None: ...

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        """Dispositions that this side sent inside the session."""

    def closed(self, reason: CloseReason, detail: str = "") -> None:
        """This side closed or is gone; nothing comes from it any more and nothing need be sent to it."""


class Leg(Protocol):
    """One side of a session. What it does on its wire is its own affair."""

    network: str

    def ringing(self) -> None:
        """Incoming legs: tell the inviting side that the other one is being alerted. Idempotent."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Texts for this side, in order; each settled through the events. Deliveries with a notice are dispositions."""

    def composing(self, composing: Composing) -> None: ...

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        """End this side. Returns, once its network has answered, what it said ("BYE 200", "OUT, connection closed").
        Never raises for a side that is already gone."""


# -------------------------------------------------------------------------------------------------- connectors


class Connector(Protocol):
    """A way to people: our own subscribers' devices, or one foreign network. The rules are at the top of this page."""

    name: str
    profile: Profile

    async def run(self, inbox: Inbox) -> None:
        """Listen or stay connected until cancelled. Never returns by itself and does not raise for a lost link."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Carry these; outcomes come back through the inbox."""

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        """Ask ``offer.target`` for a session as ``offer.initiator``. Never called where ``profile.sessions`` is false.

        Returns when the far side has answered. Cancelling withdraws.

        :raises SendError: refused, not there, no answer; each with its own reason.
        """

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """Typing outside a session. Never called where ``profile.typing`` is false."""

    def reach(self, owner: str, target: Address) -> Reach:
        """What is known now of reaching ``target``. Access connectors: ``owner`` is the receiving subscriber's id.
        Foreign networks: ``owner`` is the sending subscriber's id (whose linked account sees the contact's status)."""

    def fit(self, message: Message) -> Fit:
        """How this message would go through: pure, fast, and the same rules that ``send`` applies (``adapt.py``)."""

    def health(self) -> Health: ...

    def describe(self) -> Mapping[str, Any]:
        """JSON-able facts for the operator (links, bindings, accounts, counters), without secrets."""


class Recalling(Protocol):
    """What a connector with ``profile.recalls`` is as well."""

    async def recall(self, record: DeliveryRecord) -> str:
        """Ask the network for a delivery back that it has accepted (``record.detail`` is what the connector said of it
        then, ``Outcome.detail``, also after a restart). Returns what the network said.

        :raises SendError: it is not taken back; TIMEOUT: nobody knows.
        """


class Listening(Protocol):
    """Where a connector that listens says so, for tests and ``doctor``: ``endpoints["tcp"] == ("127.0.0.1", 5060)``."""

    endpoints: Mapping[str, tuple[str, int]]


class MediaAdapter(Protocol):
    """Content made to fit what a receiver takes, in processes that may die (``opencpm.media``)."""

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        """Parts that fit the target, and what was lost. What fits already comes back as it is.

        :raises SendError: UNSUPPORTED_MEDIA or TOO_LARGE for good; CONGESTION and INTERNAL may be tried again.
        """


class Share(NamedTuple):
    """A private, expiring way over HTTP to what a message holds; whoever has the address can read it."""

    page: str  # shows all of it to a person
    until: float  # seconds since the epoch

    def part(self, index: int) -> str:
        """The address of one part of ``message.parts``."""
        return f"{self.page}/{index}"


class Fetch(NamedTuple):
    """How a device of the receiver fetches one part of a delivery: HTTP, with its own credentials."""

    url: str
    until: float  # seconds since the epoch
    thumbnail_url: str = ""  # empty: there is no small picture of it
    thumbnail: Part | None = None


class Files(Protocol):
    """Content that is fetched over HTTP instead of being carried: what we show, and what our users uploaded."""

    def share(self, delivery_id: str, until: float) -> Share:
        """A way to the message of a delivery: the same address for the same delivery, unguessable.

        It opens from now on. It is durable before any outcome of the delivery that is reported after this call.
        """

    def fetch(self, delivery_id: str, index: int, until: float, thumbnail: Part | None = None) -> Fetch:
        """The same for one part and the receiver's own devices, which prove who they are."""

    def uploaded(self, url: str, owner: str) -> Part | None:
        """What a subscriber (``owner``) uploaded here, by its address; None: not ours, not theirs, or expired."""

    def serves(self, url: str) -> bool:
        """Whether an address is one of ours (what is fetched there may be gone)."""


class Upload(NamedTuple):
    """A file that a subscriber brings, or has brought."""

    id: str  # unguessable
    owner: str  # Subscriber.id
    tid: str  # the sender's own name of it, so that it can go on after a break
    name: str
    content_type: str
    received: int  # bytes that are certain to be here
    total: int | None  # None: not known yet
    complete: bool
    until: float  # seconds since the epoch; nothing of it is kept longer
    thumbnail_type: str = ""  # empty: none came with it


class Uploads(Protocol):
    """Files on their way into messages. What is answered is durable: a break or a crash costs nothing answered."""

    async def begin(self, owner: str, tid: str, *, name: str, content_type: str, total: int | None = None) -> Upload:
        """Start one, or start it over; one that is complete already comes back as it is.

        :raises SendError: TOO_LARGE or CONGESTION: more than one file, or one person, may take up.
        """

    async def append(self, upload_id: str, at: int, data: bytes, *, total: int | None = None) -> int:
        """The bytes from ``at`` on; how many there are now. What overlaps what is here is passed over.

        :raises SendError: MALFORMED (a gap, another total), TOO_LARGE or CONGESTION.
        """

    async def keep(self, upload_id: str) -> Upload | None:
        """Make what came so far durable: somebody asks how much there is, or the way broke."""

    async def thumbnail(self, upload_id: str, content_type: str, data: bytes) -> None:
        """The small picture that came with it. :raises SendError: TOO_LARGE."""

    async def finish(self, upload_id: str) -> Upload:
        """It is complete. :raises SendError: MALFORMED, fewer bytes than announced."""

    async def remove(self, upload_id: str) -> None: ...

    def get(self, upload_id: str) -> Upload | None: ...

    def of(self, owner: str, tid: str) -> Upload | None: ...

    def content(self, upload_id: str) -> Part | None:
        """A complete one, whole."""

    def preview(self, upload_id: str) -> Part | None:
        """Its small picture."""

    def taken(self, upload_id: str) -> None:
        """A message holds it now: it is kept for a repetition of that message, and not for long."""

    async def prune(self) -> int:
        """Remove what has expired; how many."""


class Messages(Protocol):
    """Messages by id, as they were accepted: for what is fetched from us later than it was handed to us."""

    def message(self, message_id: str) -> Message | None:
        """None: never stored, or forgotten."""


class _Nothing:
    """A server without media workers and without a page: what a connector's test is built with."""

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="this server adapts no media")

    def share(self, delivery_id: str, until: float) -> Share:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="this server shows no content over HTTP")

    def fetch(self, delivery_id: str, index: int, until: float, thumbnail: Part | None = None) -> Fetch:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="this server has no files over HTTP")

    def uploaded(self, url: str, owner: str) -> Part | None:
        return None

    def serves(self, url: str) -> bool:
        return False

    def message(self, message_id: str) -> Message | None:
        return None


NOTHING = _Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a connector is built with. The entry point of a network (``opencpm.networks``) is
    ``build(settings: Mapping[str, Any], context: Context) -> Connector``: it validates its own settings with a pydantic
    model and raises ``ValueError`` with a sentence that says what to mend."""

    name: str
    clock: Clock
    ids: Ids
    store: KeyedState
    directory: Directory
    media: MediaAdapter = NOTHING
    files: Files = NOTHING
    messages: Messages = NOTHING


class Directory(Protocol):
    """People, their devices' secrets, contacts and linked accounts. Reads are from memory; it follows the store."""

    def subscriber(self, subscriber_id: str) -> Subscriber | None: ...

    def subscribers(self) -> Sequence[Subscriber]:
        """Everybody, for networks on which our people need no account of their own."""

    def owner_of(self, address: Address) -> Subscriber | None:
        """The subscriber to whom an address (their own, or a linked account's) belongs."""

    def ha1(self, username: str, realm: str, algorithm: str) -> str | None:
        """``H(username:realm:password)`` in hex for ``MD5`` or ``SHA-256`` (RFC 7616 §3.4.2); None: no such user."""

    def proves(self, username: str, password: str) -> bool:
        """Whether this is the password of the subscriber with this id. As quick for an id that there is not."""

    def contact(self, owner: str, address: Address) -> Contact:
        """The person behind an address, as ``owner`` knows them; a stranger has just this address."""

    def blocks(self, owner: str, address: Address) -> bool:
        """Whether a subscriber has blocked this address."""

    def linked(self, network: str) -> Sequence[LinkedAccount]:
        """All enabled accounts on a network; an owner may have several."""

    def password(self, account: LinkedAccount) -> str:
        """An account's password, decrypted. Never log it."""

    def roster_changes(
        self, network: str, owner: str, schemes: frozenset[str], account: Address | None = None
    ) -> Sequence[RosterChange]:
        """What a network's list, or somebody on it, shall be told now, in the order in which to do it.

        ACCEPT and DECLINE whenever the user answered a request; ADD, REMOVE, BLOCK and UNBLOCK where the user wants
        changes of the address book made there too. Empty when the list is as it should be. ``schemes``: of the
        network's profile.
        """

    def revision(self, owner: str) -> int:
        """Another number whenever something of this subscriber may have changed (preferences, accounts, contacts,
        requests): who watches for thousands need look only at those whose number is another one."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` on the loop whenever anything here changed."""


class Numbers(Protocol):
    """What is known of telephone numbers beyond the numbering plan: who serves them now. Most servers have none."""

    def facts(self, number: str) -> NumberFacts:
        """What is known now of a number in E.164 form, from memory; what is old is asked about anew meanwhile."""

    def missing(self, numbers: Iterable[str]) -> Sequence[str]:
        """Those that somebody else has to be asked about first; none where nobody is asked."""

    def ask(self, numbers: Sequence[str], done: Callable[[], None]) -> None:
        """Ask, and call ``done`` on the loop once it is answered or has taken too long: soon, and in any case."""

    async def run(self) -> None:
        """Follow the operator's file, until cancelled."""


class Bus(Protocol):
    """Hints between nodes and to web clients. Losing every hint costs latency, never a message."""

    def publish(self, topic: str, hint: Mapping[str, Any]) -> None: ...

    def subscribe(self, topic: str, heard: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        """Hear hints of a topic; returns what ends it."""

    def heard(self, topic: str) -> bool:
        """Whether somebody may hear a topic: what nobody hears need not be put together."""


# ----------------------------------------------------------------------------------------------------- storage


@dataclass(slots=True, kw_only=True)
class DeliveryRecord:
    """A row of the outbox with its state, apart from the message's body.

    ``queue`` keeps order: deliveries of one queue go out one after the other in ``seq`` order (a subscriber's id for
    what is deferred to them; empty where order does not matter). ``sent_thread``/``received_thread`` say in whose
    history it shows: ``"<subscriber id>|<contact id>"``, empty where that side is not a subscriber.
    """

    id: str
    message: Message
    recipient: Address
    state: DeliveryState
    created_at: float
    expires_at: float
    network: str = ""
    source: Address | None = None
    target: Address | None = None
    attempt: int = 0
    token: int = 0
    not_before: float = 0.0
    lease_until: float = 0.0
    queue: str = ""
    seq: int = 0  # given by the store
    notice: Notice | None = None
    sent_thread: str = ""
    received_thread: str = ""
    segments: int = 0  # how many the network counted; receipts are aggregated over them
    confirmed: int = 0  # bit mask of segments reported delivered
    error: str = ""  # Reason value of the last failure
    detail: str = ""
    updated_at: float = 0.0
    form: Form = Form.WHOLE  # of the attempt under way; not stored: every attempt is planned anew

    @property
    def withheld(self) -> bool:
        """Whether its receiver may not see it: it was taken back, or is kept until the time its sender wants."""
        held = self.state is DeliveryState.QUEUED and not self.queue and not self.attempt and self.not_before > 0
        return held or self.error == Reason.CANCELLED.value


class DeliveryUpdate(NamedTuple):
    """The mutable part of a record, written whole."""

    id: str
    state: DeliveryState
    network: str
    source: str
    target: str
    attempt: int
    token: int
    not_before: float
    lease_until: float
    queue: str
    segments: int
    confirmed: int
    error: str
    detail: str
    updated_at: float


class ReferenceRow(NamedTuple):
    network: str
    delivery_id: str
    reference: Reference


@dataclass(slots=True, kw_only=True)
class SessionRecord:
    """A session's line in the history. Written again (same id) whenever its state changes."""

    id: str
    initiator: Address
    target: Address
    network: str  # of the answering leg
    origin: str  # of the inviting leg
    state: SessionState
    opened_at: float
    owner_threads: tuple[str, ...] = ()  # "<subscriber id>|<contact id>" of each side that is a subscriber
    conversation_id: str = ""
    contribution_id: str = ""
    answered_at: float = 0.0
    closed_at: float = 0.0
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Changes:
    """One unit of work: applied wholly or not at all, in the order of the fields."""

    messages: list[Message] = field(default_factory=list)
    deliveries: list[DeliveryRecord] = field(default_factory=list)
    rewritten: list[tuple[Message, float]] = field(default_factory=list)  # by their senders; when they expire now
    updates: list[DeliveryUpdate] = field(default_factory=list)
    references: list[ReferenceRow] = field(default_factory=list)
    parked: list[Report] = field(default_factory=list)  # reports that matched nothing
    unparked: list[tuple[str, str]] = field(default_factory=list)  # (network, key)
    sessions: list[SessionRecord] = field(default_factory=list)
    trail: list[TrailEntry] = field(default_factory=list)
    state: list[tuple[str, str, bytes | None]] = field(default_factory=list)  # (room, key, value or None to delete)


class Committed(NamedTuple):
    """What a commit came to. ``repeated``: ids of messages stored before; their deliveries were left alone."""

    repeated: frozenset[str]
    error: Exception | None = None  # disk full, database gone: nothing of this unit is stored


class KeyedState(Protocol):
    """Small durable facts of a room (registrations, a link's counters), by room and key."""

    def put_state(self, room: str, key: str, value: bytes | None, done: Callable[[], None] | None = None) -> None: ...

    def get_state(self, room: str, key: str) -> bytes | None: ...

    def all_state(self, room: str) -> Mapping[str, bytes]: ...


class Thread(NamedTuple):
    """One conversation in a subscriber's list: a person and the last thing said."""

    peer: str  # contact id
    last_at: float
    last: DeliveryRecord
    sent: bool  # the last one was sent by the subscriber


class Store(KeyedState, Protocol):
    """Durable memory. Writes are grouped: every unit of work waiting when a commit ends goes into the next one.

    Reads see what is committed. They are small and run on the loop.
    """

    def commit(self, changes: Changes, done: Callable[[Committed], None] | None = None) -> None:
        """Store durably (fsync), then call ``done`` on the loop. Units are applied in the order of the calls."""

    def claim(
        self,
        now: float,
        lease_until: float,
        limit: int,
        done: Callable[[Sequence[DeliveryRecord]], None],
        queue: str | None = None,
    ) -> None:
        """Lease up to ``limit`` deliveries, oldest ``seq`` first: state becomes sending, ``token`` rises by one.

        Due are those queued whose ``not_before`` is reached, and those sending whose lease ended. With ``queue``: what
        is queued there, whatever its ``not_before``. ``done`` gets them after the commit."""

    def seize(
        self,
        delivery_ids: Sequence[str],
        now: float,
        lease_until: float,
        done: Callable[[Sequence[DeliveryRecord]], None],
    ) -> None:
        """Lease those of these deliveries that are queued, whatever they wait for: from the commit on nobody else
        takes them up. ``done`` gets them then; the others are under way, or final."""

    def next_due(self) -> float | None:
        """When the next delivery becomes due, or None."""

    def release_leases(self, done: Callable[[], None]) -> None:
        """At start: leases of a process that died are over now."""

    def message(self, message_id: str) -> Message | None: ...

    def delivery(self, delivery_id: str) -> DeliveryRecord | None: ...

    def deliveries_of(self, message_id: str) -> Sequence[DeliveryRecord]:
        """All deliveries of a message that carry the message itself (no notices)."""

    def referenced(self, network: str, key: str) -> Sequence[ReferenceRow]:
        """The references a report's key may mean, newest first."""

    def parked(self, limit: int) -> Sequence[Report]: ...

    def waiting(self, queue: str) -> int:
        """How many deliveries wait in a queue."""

    def unreported(self, before: float, limit: int) -> Sequence[DeliveryRecord]:
        """Accepted deliveries whose ``expires_at`` lies before: nobody will report on them any more."""

    def threads(self, owner: str, limit: int = 100) -> Sequence[Thread]:
        """A subscriber's conversations, latest first."""

    def history(
        self, owner: str, peer: str, limit: int = 100, before: float | None = None
    ) -> Sequence[tuple[DeliveryRecord, bool]]:
        """The messages between a subscriber and a person, oldest first, with whether the subscriber sent them."""

    def sessions(self, owner: str, peer: str, limit: int = 20) -> Sequence[SessionRecord]: ...

    def open_sessions(self) -> Sequence[SessionRecord]: ...

    def trail(self, subject: str) -> Sequence[TrailEntry]: ...

    def find(self, text: str) -> str | None:
        """The id of the message or session meant by an id, an imdn.Message-ID or a unique beginning (6 characters)."""

    def last_exchange(self, thread: str) -> tuple[str, str] | None:
        """(conversation_id, contribution_id) of the last message in ``"<subscriber id>|<contact id>"``, or None."""

    def counts(self) -> Mapping[str, int]:
        """Deliveries by state, messages, trail lines: for the operator."""

    def prune(self, before: float, limit: int, done: Callable[[int], None]) -> None:
        """Forget at most ``limit`` deliveries that were final before, and what hangs on them; ``done`` gets the number
        of rows removed."""

    # -- administration: rare, committed at once -------------------------------------------------------------

    def subscribers(self) -> Sequence[Subscriber]:
        """With their linked accounts."""

    def put_subscriber(self, subscriber: Subscriber) -> None: ...

    def remove_subscriber(self, subscriber_id: str) -> None: ...

    def contacts(self) -> Iterable[Contact]: ...

    def put_contact(self, contact: Contact) -> None: ...

    def remove_contact(self, owner: str, contact_id: str) -> None: ...

    def change_contacts(self, put: Sequence[Contact], removed: Sequence[tuple[str, str]]) -> None:
        """Several contacts in one commit, one version; ``removed``: (owner, contact id), taken out first."""

    def contact_requests(self) -> Sequence[ContactRequest]: ...

    def put_contact_request(self, request: ContactRequest) -> None: ...

    def remove_contact_request(self, owner: str, request_id: str) -> None: ...

    def put_account(self, account: LinkedAccount) -> None: ...

    def remove_account(self, owner: str, network: str, address: Address) -> None: ...

    def secret(self, kind: str, key: str) -> bytes | None:
        """A sealed secret: kind "ha1", "account" or "token"."""

    def put_secret(self, kind: str, key: str, sealed: bytes | None) -> None: ...

    def secrets(self, kind: str) -> Mapping[str, bytes]: ...

    def version(self) -> int:
        """Rises when administration changed anything, also from another process."""

    async def close(self) -> None:
        """Finish what was handed in, then close."""


class Vault(Protocol):
    """Encrypts secrets at rest."""

    def seal(self, secret: bytes) -> bytes: ...

    def unseal(self, sealed: bytes) -> bytes:
        """:raises ValueError: sealed with another key, or changed."""
