"""The network of texts read out, as messaging sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.fixedline import reasons
from opencpm.interworking.fixedline.outbox import failed
from opencpm.interworking.fixedline.trunk import Trunk
from opencpm.protocols.g711 import Samples
from opencpm.protocols.telephone.events import Answered, Call, Credentials, Event, HungUp, Offered, Pinged, Refused
from opencpm.transport.telephone import Telephone
from opencpm.transport.voice import Voice

from . import adapt
from .engine import EngineError, installed, spoken
from .reading import Reading
from .settings import SpeechSettings

log = logging.getLogger("opencpm.speech")

_TICK = 1.0


@dataclass(slots=True, eq=False)
class Job:
    """One text on its way: first to be spoken, then a call."""

    delivery: Delivery
    text: str
    reading: Reading | None = None
    voice: Voice | None = None
    call: Call | None = None
    since: float = 0.0
    answered: bool = False


class SpeechConnector:
    """Calls lines and reads to whoever answers."""

    def __init__(self, settings: SpeechSettings, context: Context) -> None:
        self.name = context.name
        self.profile = Profile(
            label=settings.label,
            kind="voice",
            schemes=frozenset({"tel"}),
            content_types=("text/plain",),
            reports=frozenset({Status.ACCEPTED, Status.DELIVERED, Status.FAILED}),
            number_types=frozenset(settings.number_types),
        )
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        self._trunk = Trunk(settings.trunk)
        self._queue: deque[Job] = deque()
        self._under_way: dict[Job, None] = {}
        self._wake = asyncio.Event()
        self._phone: Telephone | None = None
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`."""
        self._inbox = inbox
        settings = self._settings
        while self._phone is None:
            try:
                self._phone = Telephone(
                    settings.listen_host, settings.listen_port, self._event, public=settings.public_host
                )
            except OSError as error:
                self._watch_health(f"port {settings.listen_port}: {error.strerror or error}")
                await asyncio.sleep(_TICK)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._trunk.watch(self._phone, self._wake.set))
                tasks.create_task(self._work(self._phone))
                tasks.create_task(self._tick())
        finally:
            phone, self._phone = self._phone, None
            for job in self._under_way:
                if job.call is not None:
                    phone.hang_up(job.call)
            phone.close()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        now = self._context.clock.now()
        for delivery in deliveries:
            error = self._take(delivery, now)
            if error is not None:
                self._settle(failed(delivery, error, now))
        self._wake.set()

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="there are no sessions with a voice")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """Nobody is shown typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._settings)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._queue) + len(self._under_way))

    def describe(self) -> Mapping[str, Any]:
        return {
            "trunk": self._trunk.host,
            "up": self._trunk.up,
            "detail": self._health.detail,
            "calls": len(self._under_way),
            "waiting": len(self._queue),
            "counters": dict(self.counters),
        }

    # -- sending

    def _take(self, delivery: Delivery, now: float) -> SendError | None:
        """Put a delivery into the queue, or say why not."""
        if delivery.notice is not None:
            return SendError(Reason.NOT_ACCEPTABLE, detail="word of messages is not read out")
        if delivery.expires_at and delivery.expires_at <= now:
            return reasons.expired()
        if self._health.state is HealthState.DOWN:
            return reasons.no_trunk(self._health.detail)
        if len(self._queue) >= self._settings.queue:
            return reasons.queue_full()
        wait = adapt.until_open(datetime.fromtimestamp(now, ZoneInfo(self._settings.timezone)), self._settings)
        if wait:
            detail = f"lines are called from {self._settings.from_hour} to {self._settings.to_hour} o'clock only"
            return SendError(Reason.UNREACHABLE, retryable=True, retry_after=wait, detail=detail)
        try:
            text = adapt.text_of(delivery.message, self._settings)
        except SendError as error:
            return error
        self._queue.append(Job(delivery, text))
        return None

    async def _work(self, phone: Telephone) -> None:
        """Speak and call, one after the other, as many calls at once as the trunk has."""
        while True:
            while self._queue and len(self._under_way) < self._settings.calls and self._trunk.flow is not None:
                job = self._queue.popleft()
                self._under_way[job] = None
                try:
                    await self._begin(job, phone)
                except EngineError as error:
                    log.warning("a text could not be spoken: %s", error)
                    detail = "the text could not be spoken"
                    self._end(job, SendError(Reason.INTERNAL, retryable=True, detail=detail, code=str(error)))
                except OSError as error:
                    self._end(job, reasons.no_trunk(f"no port for a call: {error}"))
            self._wake.clear()
            await self._wake.wait()

    async def _begin(self, job: Job, phone: Telephone) -> None:
        settings, number = self._settings, job.delivery.target.value
        voice = adapt.voice_for(job.text, number, settings)
        sender = job.delivery.source.value if job.delivery.source.scheme == "tel" else settings.number
        said = settings.introduction.replace("{sender}", adapt.said_number(sender))
        first = await self._spoken(said, settings.language)
        text = await self._spoken(job.text, voice)
        prompt = await self._spoken(settings.prompt, settings.language)
        job.reading = Reading(first, text, prompt, settings.repeats)
        job.voice = phone.voice()
        job.since = asyncio.get_running_loop().time()
        assert self._trunk.flow is not None
        credentials = Credentials(settings.user, settings.password) if settings.user else None
        caller = settings.number.removeprefix("+")
        job.call = phone.dial(
            self._trunk.flow, number, caller, self._trunk.host, job.voice, context=job, credentials=credentials
        )

    async def _spoken(self, text: str, voice: str) -> Samples:
        return await spoken(text, voice, self._settings.program, self._settings.speed)

    # -- calls

    def _event(self, event: Event) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(event, Pinged):
            self._trunk.answered(event.status, now)
        elif isinstance(event, Offered) and self._phone is not None:
            self._phone.refuse(event.call, 480)  # who calls back is not for us
        elif isinstance(event, Answered):
            self._trunk.answered(200, now)
            self._talk(event.call)
        elif isinstance(event, Refused) and event.call.context in self._under_way:
            self._trunk.answered(event.status, now)
            self._not_answered(event.call.context, event.status, event.reason)
        elif isinstance(event, HungUp) and event.call.context in self._under_way:
            self._hung_up(event.call.context)
        self._watch_health()

    def _talk(self, call: Call) -> None:
        job = call.context
        if job not in self._under_way or self._phone is None or job.voice is None or job.reading is None:
            return
        job.answered = True
        reading: Reading = job.reading

        def turn(heard: Samples) -> Samples | None:
            said = reading.turn(heard)
            if reading.over:
                self._read(job)
            return said

        self._phone.talk(call, job.voice, turn)

    def _not_answered(self, job: Job, status: int, said: str) -> None:
        self._end(job, reasons.call_refused(status, said, self._settings.busy_retry, job.delivery.attempt))

    def _hung_up(self, job: Job) -> None:
        """The person did; what they had heard by then counts."""
        if job.reading is not None and job.reading.complete:
            self._read(job)
            return
        after = reasons.later(self._settings.busy_retry, job.delivery.attempt)
        detail = "whoever answered hung up before the text was read"
        self._end(job, SendError(Reason.NO_ANSWER, retryable=True, retry_after=after, detail=detail))

    def _read(self, job: Job) -> None:
        """The text was read: a key that was pressed is a person's word that it was heard; without one, nobody knows."""
        reading, now = job.reading, self._context.clock.now()
        assert reading is not None
        detail = f"read {reading.times} times in a call of {reading.seconds:.0f} s"
        kind, source = OutcomeKind.ACCEPTED, "read out to whoever answered"
        if reading.key:
            kind, source = OutcomeKind.DELIVERED, "read out to a person, who pressed a key"
        delivery = job.delivery
        outcome = Outcome(
            delivery_id=delivery.id, token=delivery.token, kind=kind, at=now, source=source, detail=detail
        )
        self._over(job)
        self._settle(outcome)

    def _end(self, job: Job, error: SendError) -> None:
        self._over(job)
        self._settle(
            failed(job.delivery, error, self._context.clock.now(), "the line" if job.answered else "no answer")
        )

    def _over(self, job: Job) -> None:
        self._under_way.pop(job, None)
        if self._phone is not None:
            if job.voice is not None:
                self._phone.pacer.remove(job.voice)
            if job.call is not None:
                self._phone.hang_up(job.call)
        self._wake.set()

    def _settle(self, outcome: Outcome) -> None:
        self.counters[outcome.kind.value] += 1
        if self._inbox is not None:
            self._inbox.settled([outcome])

    # -- time and health

    async def _tick(self) -> None:
        while True:
            self._watch_health()
            await asyncio.sleep(_TICK)
            loop_now, now = asyncio.get_running_loop().time(), self._context.clock.now()
            self._trunk.judge(loop_now)
            for job in [job for job in self._queue if job.delivery.deadline and job.delivery.deadline <= now]:
                self._queue.remove(job)
                self._end(job, reasons.too_late())
            for job in list(self._under_way):
                if job.call is not None and not job.answered and loop_now - job.since > self._settings.ring_timeout:
                    self._not_answered(job, 408, "rang too long")

    def _watch_health(self, trouble: str = "") -> None:
        """Tell messaging when the state changed."""
        before = self._health
        if not trouble and not installed(self._settings.program):
            trouble = f"{self._settings.program} is not installed"
        up = not trouble and self._trunk.up and self._phone is not None
        state, detail = HealthState.UP if up else HealthState.DOWN, trouble or self._trunk.detail
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since)
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
