"""Messages that wait for phones: offered by notifications, fetched once or more, answered, or expired."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from math import inf

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Disposition
from opencpm.domain.report import Report, Status
from opencpm.interfaces import Context, Inbox
from opencpm.interworking.mms.carrying import accepted, told
from opencpm.interworking.mms.outgoing import adapted
from opencpm.interworking.mms.reports import asks_delivery, read_said
from opencpm.interworking.mms.rows import Rows
from opencpm.interworking.mms.targets import Targets

from . import pdus, reasons
from .pusher import Pusher
from .rows import Kept
from .settings import Mm1Settings

_MOST = 100_000
_TRANSACTION = 10
_LOCATIONS = "locations"


class Centre:
    """All messages that phones may fetch. ``location`` is the public address that their names are put behind."""

    def __init__(self, settings: Mm1Settings, context: Context, targets: Targets, pusher: Pusher) -> None:
        self.counters: Counter[str] = Counter()
        self.location = settings.public_url
        self._settings, self._context, self._targets, self._pusher = settings, context, targets, pusher
        self._rows: Rows[Kept] = Rows(context.store, f"{context.name}.kept", Kept)
        self._names: dict[str, str] = {}  # transaction -> name
        self._secret = b""
        self._due = 0.0  # when a row wants something next
        self._agents = sorted(settings.user_agents.items(), key=lambda pair: -len(pair[0]))
        self._inbox: Inbox | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def start(self, inbox: Inbox) -> None:
        """Take up what waits from an earlier life."""
        self._inbox = inbox
        self._secret = self._kept_secret()
        self._rows.load()
        self._names = {name[:_TRANSACTION]: name for name, _ in self._rows.all()}

    def _kept_secret(self) -> bytes:
        room = f"{self._context.name}.secret"
        kept = self._context.store.get_state(room, _LOCATIONS)
        if kept is None:
            kept = (self._context.ids.new() + self._context.ids.new()).encode()
            self._context.store.put_state(room, _LOCATIONS, kept)
        return kept

    # -- offering

    async def offer(self, delivery: Delivery) -> Outcome:
        """Keep a message and notify its phone. Raises SendError."""
        number = delivery.target.value
        if self._settings.prefixes and not number.startswith(self._settings.prefixes):
            raise reasons.not_ours(number)
        if len(self._rows) >= _MOST:
            raise reasons.too_many()
        now = self._context.clock.now()
        name = self._name(delivery.id)
        kept = Kept(
            delivery_id=delivery.id,
            message_id=delivery.message.id,
            target=str(delivery.target),
            source=str(delivery.source),
            until=min(delivery.expires_at or now + self._settings.max_validity, now + self._settings.max_validity),
            again=self._again(1, now),
        )
        self._put(name, kept)
        error = await self._notify(name, kept, delivery)
        if error is not None:
            self._drop(name)
            raise error
        self.counters["offered"] += 1
        detail = f"kept for {number}, which is notified by {self._settings.notify_network}"
        return accepted(delivery, now, "this MMS centre", detail, delivery.id)

    async def _notify(self, name: str, kept: Kept, delivery: Delivery | None = None) -> SendError | None:
        message = delivery.message if delivery else self._context.messages.message(kept.message_id)
        if message is None:
            return SendError(Reason.EXPIRED, detail="the message is forgotten")
        pdu = pdus.notification(
            message,
            Address.parse(kept.source),
            name[:_TRANSACTION],
            f"{self.location}/{name}",
            message.size,
            kept.until,
            report=asks_delivery(message, self._settings),
        )
        ident = f"{kept.delivery_id}-notify-{kept.notified}"
        return await self._pusher.push(
            pdu, Address.parse(kept.target), ident, kept.until, Disposition.NEGATIVE_DELIVERY
        )

    def _again(self, notified: int, now: float) -> float:
        later = self._settings.notify_again
        return now + later[notified - 1] if notified <= len(later) else 0.0

    async def unheard(self, delivery: Delivery) -> Outcome:
        """Word of a notification of ours that did not arrive: final for its message, or a matter of time."""
        notice = delivery.notice
        assert notice is not None
        now = self._context.clock.now()
        about, _, _ = notice.message_id.rpartition("-notify-")
        name = self._name(about)
        kept = self._rows.get(name)
        if kept is not None and not kept.over:
            if reasons.passing(notice):
                self._say(kept, Status.PENDING, "notification", f"not notified: {notice.reason or notice.cause}")
            else:
                self._finish(name, kept, Status.FAILED, "notification", notice.cause, reasons.not_notified(notice))
        return told(delivery, now, "this MMS centre", "noted")

    # -- fetching

    async def fetch(self, name: str, number: Address, agent: str) -> bytes:
        """M-Retrieve.conf: the content made for this phone, or why not."""
        now = self._context.clock.now()
        kept = self._rows.get(name)
        if kept is None or kept.until <= now:
            self.counters["fetched in vain"] += 1
            return pdus.refusal(now, reasons.RETRIEVE_NOT_FOUND, "The message is not here any more.")
        if str(number) != kept.target:
            self.counters["fetched by strangers"] += 1
            return pdus.refusal(now, reasons.RETRIEVE_DENIED, "The message is for another phone.")
        message = self._context.messages.message(kept.message_id)
        if message is None:
            return pdus.refusal(now, reasons.RETRIEVE_NOT_FOUND, "The message is not here any more.")
        try:
            ready = await adapted(message.parts, self.target(number, agent), self._context.media)
            pdu = pdus.retrieval(
                message, Address.parse(kept.source), number, ready.parts, name[:_TRANSACTION], self._settings
            )
        except SendError as error:
            return self._not_made(name, kept, error, now)
        self.counters["fetched"] += 1
        if not kept.fetched:
            self._put(name, replace(kept, fetched=True, again=0.0))
            self._say(kept, Status.PENDING, "M-Retrieve.conf", "; ".join(("fetched by the phone", *ready.losses)))
        return pdu

    def _not_made(self, name: str, kept: Kept, error: SendError, now: float) -> bytes:
        if error.retryable:
            return pdus.refusal(now, reasons.RETRIEVE_LATER, "Try again later.")
        self._finish(name, kept, Status.FAILED, "this MMS centre", "", error)
        return pdus.refusal(now, reasons.RETRIEVE_UNSUPPORTED, error.detail[:100])

    def target(self, number: Address, agent: str) -> Target:
        """What a phone takes: by what it says of itself, else by its number."""
        lowered = agent.lower()
        for piece, content_class in self._agents:
            if piece.lower() in lowered:
                return self._targets.of_class(content_class)
        return self._targets.of(number)

    # -- what phones answer

    async def retrieved(self, number: Address, transaction: str, allowed: bool) -> None:
        """The phone has it: M-Acknowledge.ind, or M-NotifyResp.ind with status retrieved."""
        found = self._find(number, transaction)
        if found is None or found[1].over:
            return
        name, kept = found
        if not kept.fetched:
            self.counters["retrieved without a fetch"] += 1
            return
        if allowed:
            await self._ended(name, kept, Status.DELIVERED, "the phone", "retrieved", None)
        else:
            await self._ended(name, kept, Status.PENDING, "the phone", "retrieved; its owner allows no report", None)

    async def deferred(self, number: Address, transaction: str) -> None:
        found = self._find(number, transaction)
        if found is not None and not found[1].over:
            name, kept = found
            self._put(name, replace(kept, again=0.0))
            await self._said(kept, Status.PENDING, "the phone", "deferred")

    async def refused(self, number: Address, transaction: str, error: SendError) -> None:
        found = self._find(number, transaction)
        if found is not None and not found[1].over:
            await self._ended(*found, Status.FAILED, "the phone", error.reason.value, error)

    async def deleted(self, number: Address, location: str) -> bool:
        """M-Delete.req: what waits is not wanted. Whether it was there."""
        found = self._find(number, location.rpartition("/")[2][:_TRANSACTION])
        if found is None or found[1].over:
            return False
        await self._ended(*found, Status.FAILED, "the phone", "deleted", reasons.refused())
        return True

    async def read(self, number: Address, message_id: str, status: str) -> None:
        """M-Read-Rec.ind."""
        found = self._find(number, message_id.partition("@")[0])
        if found is not None and found[1].fetched:
            await self._said(found[1], read_said(status, self._settings), "M-Read-Rec.ind", status)

    def _find(self, number: Address, transaction: str) -> tuple[str, Kept] | None:
        """The message of a transaction, if it is this phone's."""
        name = self._names.get(transaction, "")
        kept = self._rows.get(name)
        if kept is None or kept.target != str(number):
            self.counters["answers to nothing"] += 1
            return None
        return name, kept

    # -- time

    async def tick(self) -> None:
        """Notify again what nobody answered; end what nobody fetched."""
        now = self._context.clock.now()
        if now < self._due:
            return
        self._due = inf
        for name, kept in self._rows.all():
            self._due = min(self._due, _due(kept))
            if kept.until <= now:
                if not kept.over:
                    self._say(kept, Status.FAILED, "this MMS centre", "not fetched", reasons.not_fetched())
                self._drop(name)
            elif 0 < kept.again <= now and not kept.over:
                await self._remind(name, kept, now)

    async def _remind(self, name: str, kept: Kept, now: float) -> None:
        count = kept.notified + 1
        kept = replace(kept, notified=count, again=self._again(count, now))
        self._put(name, kept)
        self.counters["notified again"] += 1
        error = await self._notify(name, kept)
        if error is not None:
            self._say(kept, Status.PENDING, "notification", f"not notified: {error.detail}")

    # -- rows and reports

    def _name(self, delivery_id: str) -> str:
        """Unguessable, and the same for every attempt at a delivery."""
        digest = blake2b(delivery_id.encode(), key=self._secret[:64], digest_size=18).digest()
        return base64.urlsafe_b64encode(digest).decode()

    def _put(self, name: str, kept: Kept) -> None:
        self._names[name[:_TRANSACTION]] = name
        self._rows.put(name, kept)
        self._due = min(self._due, _due(kept))

    def _drop(self, name: str) -> None:
        self._names.pop(name[:_TRANSACTION], None)
        self._rows.drop(name)

    async def _ended(
        self, name: str, kept: Kept, status: Status, source: str, detail: str, error: SendError | None
    ) -> None:
        """Word is given, and stored when this returns; the content may still be fetched again, and be read."""
        await self._said(kept, status, source, detail, error)
        self._over(name, kept)

    def _finish(self, name: str, kept: Kept, status: Status, source: str, detail: str, error: SendError | None) -> None:
        self._say(kept, status, source, detail, error)
        self._over(name, kept)

    def _over(self, name: str, kept: Kept) -> None:
        until = max(kept.until, self._context.clock.now() + self._settings.kept)
        self._put(name, replace(kept, over=True, again=0.0, until=until))

    async def _said(self, kept: Kept, status: Status, source: str, detail: str, error: SendError | None = None) -> None:
        stored = asyncio.Event()
        self._say(kept, status, source, detail, error, stored.set)
        await stored.wait()

    def _say(
        self,
        kept: Kept,
        status: Status,
        source: str,
        detail: str,
        error: SendError | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:
        assert self._inbox is not None
        report = Report(
            status=status,
            network=self._context.name,
            source=source,
            at=self._context.clock.now(),
            delivery_id=kept.delivery_id,
            error=error,
            detail=detail,
        )
        self._inbox.reported([report], done)


def _due(kept: Kept) -> float:
    """When it wants to be looked at: it ends, or its phone is notified again."""
    return min(kept.until, kept.again or inf)
