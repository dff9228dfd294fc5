"""Pager mode, to devices: deliveries become MESSAGEs, in order for each device, and end in one outcome each."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import Endpoint
from opencpm.access.sip.media_out import Carried, Result, Taken
from opencpm.access.sip.outgoing import Body, body_for, fields_for, other_form
from opencpm.access.sip.reasons import error_of
from opencpm.access.sip.registrar import Registrar
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.interfaces import Context
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.status import preferred
from opencpm.transport.flow import Flow

log = logging.getLogger("opencpm.access.sip")

DEFERRED_AFTER = 5.0
"""Seconds: a message older than this waited for its receiver and is pushed with none other under way."""
MAX_DATAGRAM = 60_000
MAX_AIMS = 10_000

NO_ANSWER = 0
_PAGER = Result()


@dataclass(slots=True, eq=False)
class _Job:
    """One delivery on its way to one or more devices."""

    delivery: Delivery
    alone: bool
    branches: int
    failures: list[SendError] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    settled: bool = False
    given_up: bool = False  # settled as failed: no device gets it any more


@dataclass(slots=True, eq=False)
class _Flight:
    """One request on its way to a device; `retried`: in the other form, after a 415."""

    flow: Flow
    body: Body
    retried: bool


@dataclass(slots=True, eq=False)
class _Lane:
    """What goes to one device."""

    binding: Binding
    flights: dict[_Job, _Flight] = field(default_factory=dict)
    waiting: deque[_Job] = field(default_factory=deque)
    under_way: int = 0
    alone: bool = False


class Lanes:
    """The way out to devices. Outcomes are handed over together at the end of the loop turn."""

    def __init__(
        self, settings: SipSettings, context: Context, endpoint: Endpoint, home: Home, registrar: Registrar
    ) -> None:
        self._settings, self._context = settings, context
        self._endpoint, self._home, self._registrar = endpoint, home, registrar
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._jobs: set[_Job] = set()
        self._outcomes: list[Outcome] = []
        self._aims: OrderedDict[str, str] = OrderedDict()
        self._loop = asyncio.get_running_loop()
        self.settled: Callable[[Sequence[Outcome]], None] = lambda outcomes: None
        self.carry: Callable[[Delivery, Binding, Carried], Taken] = lambda delivery, binding, done: Taken.NO
        """Asked for each delivery and device: content may go in another form. Who takes it calls `done` once."""

    def __len__(self) -> int:
        """Deliveries not settled yet."""
        return len(self._jobs)

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See `interfaces.Connector.send`."""
        touched: dict[_Lane, None] = {}
        for delivery in deliveries:
            for lane in self._enqueue(delivery):
                touched[lane] = None
        for lane in touched:
            self._pump(lane)

    def aim(self, message_id: str, instance: str) -> None:
        """A message (our id) that names one device goes to that one, as long as it is there. A GRUU chooses a device
        and is no reason to lose a message: where the device is not there, or this is forgotten, all get it."""
        self._aims[message_id] = instance
        while len(self._aims) > MAX_AIMS:
            self._aims.popitem(last=False)

    def fail_all(self, error: SendError) -> None:
        """The server stops: everything not settled has failed, and may be tried again."""
        for job in list(self._jobs):
            self._finish(job, error)
        self._hand_over()

    def moved(self, binding: Binding) -> None:
        """A device has registered anew over another flow: what is under way goes after it, and nobody waits for
        an answer from where it was."""
        lane = self._lanes.get((binding.user, binding.key))
        flow = binding.flow
        if lane is None or flow is None:
            return
        lane.binding = binding
        for job, flight in list(lane.flights.items()):
            if flight.flow.key != flow.key:
                self._transmit(lane, job, flight.body, retried=flight.retried)

    def sweep(self) -> None:
        """Give up what has passed its deadline; called now and then."""
        now = self._context.clock.now()
        for job in [job for job in self._jobs if job.delivery.deadline <= now]:
            self._finish(job, SendError(Reason.TIMEOUT, retryable=True, detail="The device did not take it in time."))
        for key in [key for key, lane in self._lanes.items() if not lane.waiting and not lane.under_way]:
            del self._lanes[key]

    # in

    def _enqueue(self, delivery: Delivery) -> list[_Lane]:
        now = self._context.clock.now()
        subscriber = self._context.directory.owner_of(delivery.target)
        service = "systemmsg" if delivery.message.kind is MessageKind.SYSTEM else "msg"
        devices = self._registrar.devices(subscriber.id, service) if subscriber is not None else []
        if service == "systemmsg" and not devices and subscriber is not None:
            devices = self._registrar.devices(subscriber.id, "msg")
        if self._aims and (aim := self._aims.get(delivery.message.id)):
            devices = [one for one in devices if one.instance == aim] or devices
        alone = now - delivery.message.received_at > DEFERRED_AFTER
        job = _Job(delivery, alone, len(devices))
        if not devices:
            self._finish(job, SendError(Reason.OFFLINE, retryable=True, detail="No device is registered now."))
            return []
        self._jobs.add(job)
        lanes = []
        for binding in devices:
            lane = self._lanes.get((binding.user, binding.key))
            if lane is None:
                lane = self._lanes[binding.user, binding.key] = _Lane(binding)
            lane.binding = binding  # a device that registers again keeps its lane, and so its order
            lane.waiting.append(job)
            lanes.append(lane)
        return lanes

    def _pump(self, lane: _Lane) -> None:
        """Send what may go now."""
        now = self._context.clock.now()
        while lane.waiting and not lane.alone and lane.under_way < self._settings.window:
            job = lane.waiting[0]
            if job.alone and lane.under_way:
                return
            lane.waiting.popleft()
            if job.given_up:
                continue
            if now >= job.delivery.expires_at > 0:
                self._branch_failed(job, 480, SendError(Reason.EXPIRED, detail="Its validity is over."))
                continue
            self._start(lane, job)

    def _start(self, lane: _Lane, job: _Job) -> None:
        taken = Taken.NO

        def done(result: Result) -> None:
            self._carried(lane, job, result, taken)

        taken = self.carry(job.delivery, lane.binding, done)
        if taken is Taken.IN_LINE:
            lane.alone = job.alone
            lane.under_way += 1
        if taken is not Taken.NO:
            return
        try:
            body = body_for(job.delivery, lane.binding)
        except SendError as error:
            self._branch_failed(job, 415, error)
            return
        except Exception:  # one message that cannot be written must not take the others of its batch along
            log.exception("delivery %s cannot be written", job.delivery.id)
            self._branch_failed(job, 500, SendError(Reason.INTERNAL, detail="The server could not write it."))
            return
        lane.alone = job.alone
        lane.under_way += 1
        self._transmit(lane, job, body, retried=False)

    def _transmit(self, lane: _Lane, job: _Job, body: Body, *, retried: bool) -> None:
        binding, delivery = lane.binding, job.delivery
        flow = binding.flow
        if flow is None or not flow.open:
            self._done(lane, job, NO_ANSWER, None, failed=True)
            return
        flight = lane.flights[job] = _Flight(flow, body, retried)
        if not flow.reliable and len(body.content) > MAX_DATAGRAM:
            self._done(lane, job, 513, None, failed=False)
            return
        owner = self._context.directory.owner_of(delivery.source)
        fields = fields_for(delivery, binding, body, self._home, owner, self._endpoint.via_host)
        if retried:  # the same request in another form is a new one (RFC 3261 §8.1.3.5)
            fields = [(n, f"{2**30 + delivery.token} MESSAGE" if n == "CSeq" else v) for n, v in fields]

        def answered(response: Message | None, failed: bool) -> None:
            if lane.flights.get(job) is not flight or (response is not None and response.status < 200):
                return
            if response is not None and response.status == 415 and not retried and self._again(lane, job, body):
                return
            self._done(lane, job, response.status if response else NO_ANSWER, response, failed=failed)

        self._endpoint.send(flow, "MESSAGE", binding.contact, fields, body.content, answered)

    def _again(self, lane: _Lane, job: _Job, tried: Body) -> bool:
        """After 415 try the other form, and remember which one this device takes."""
        other = other_form(job.delivery, lane.binding, tried)
        if other is None:
            return False
        lane.binding.wrap = other.content_type == "message/cpim"
        self._registrar.remember(lane.binding)
        self._transmit(lane, job, other, retried=True)
        return True

    # out

    def _done(self, lane: _Lane, job: _Job, status: int, response: Message | None, *, failed: bool) -> None:
        lane.flights.pop(job, None)
        lane.under_way -= 1
        lane.alone = False
        if 200 <= status < 300:
            self._registrar.heard(lane.binding)
            self._delivered(job, f"SIP {status} from device")
        else:
            error = error_of(status, response)
            self._branch_failed(job, status or 480, error)
            if error.retryable:
                self._stop(lane, error, away=status in (NO_ANSWER, 408) and not failed)
        self._pump(lane)

    def _carried(self, lane: _Lane, job: _Job, result: Result, taken: Taken) -> None:
        """What was taken over has ended at one device."""
        if taken is Taken.IN_LINE:
            lane.under_way -= 1
            lane.alone = False
        if result.error is None:
            self._registrar.heard(lane.binding)
            self._delivered(job, result.source, result)
        else:
            self._branch_failed(job, _status_in(result.error), result.error)
        self._pump(lane)

    def _stop(self, lane: _Lane, error: SendError, *, away: bool) -> None:
        """The device cannot take messages now: those behind keep their order by failing with the first one."""
        waiting, lane.waiting = list(lane.waiting), deque()
        if away:
            self._registrar.silent(lane.binding)
        for job in waiting:
            self._branch_failed(job, 480, error)

    def _delivered(self, job: _Job, source: str, result: Result = _PAGER) -> None:
        """The first device that took it settles the delivery."""
        if not job.settled:
            job.settled = True
            self._jobs.discard(job)
            self._outcome(job, OutcomeKind.DELIVERED, source, None, result)

    def _branch_failed(self, job: _Job, status: int, error: SendError) -> None:
        job.codes.append(status)
        job.failures.append(error)
        if len(job.codes) < job.branches or job.settled:
            return
        best = preferred(job.codes)
        index = job.codes.index(best) if best in job.codes else 0
        self._finish(job, job.failures[index])

    def _finish(self, job: _Job, error: SendError) -> None:
        if job.settled:
            return
        job.settled = job.given_up = True
        self._jobs.discard(job)
        self._outcome(job, OutcomeKind.FAILED, "device" if error.code else "this server", error)

    def _outcome(
        self, job: _Job, kind: OutcomeKind, source: str, error: SendError | None, result: Result = _PAGER
    ) -> None:
        if not self._outcomes:
            self._loop.call_soon(self._hand_over)
        self._outcomes.append(
            Outcome(
                delivery_id=job.delivery.id,
                token=job.delivery.token,
                kind=kind,
                at=self._context.clock.now(),
                source=source,
                error=error,
                detail=error.code if error is not None else result.detail,
                losses=result.losses,
            )
        )

    def _hand_over(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            self.settled(outcomes)


def _status_in(error: SendError) -> int:
    """The status that a failure at a device stands for, among those of its owner's other devices."""
    code = error.code.removeprefix("SIP ")
    return int(code) if code.isdigit() else 480 if error.retryable else 415
