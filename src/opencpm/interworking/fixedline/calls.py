"""All calls of the network: dialled for what waits, answered for what comes, each bounded, each message settled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from opencpm.domain.delivery import Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.interfaces import Context
from opencpm.protocols.fsk import events as e
from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.telephone.events import Call, Credentials, Event
from opencpm.transport.flow import Flow
from opencpm.transport.telephone import Telephone

from . import reasons
from .inbound import Inbound
from .lines import Protocols, called_us, is_centre
from .outbox import Job, Outbox
from .outgoing import references
from .settings import FixedLineSettings, TrunkSettings
from .trunk import Trunk
from .visit import Visit

_ANONYMITY, _BUSY, _FORBIDDEN, _NOT_FOUND, _NOT_NOW = 433, 486, 403, 404, 480


class Owner(Protocol):
    """The connector."""

    def settle(self, outcomes: Sequence[Outcome]) -> None: ...
    def phone_event(self, event: Event) -> None: ...


class Calls:
    """Binds the telephone on construction. Raises OSError."""

    def __init__(
        self,
        settings: FixedLineSettings,
        context: Context,
        trunks: Sequence[Trunk],
        outbox: Outbox,
        inbound: Inbound,
        owner: Owner,
    ) -> None:
        self._settings, self._context, self._trunks = settings, context, trunks
        self._outbox, self._inbound, self._owner = outbox, inbound, owner
        self._loop = asyncio.get_running_loop()
        self._protocols = Protocols(context.store, f"{context.name}.lines")
        self.phone = Telephone(
            settings.listen_host,
            settings.listen_port,
            owner.phone_event,
            public=settings.public_host,
            ports=settings.rtp_ports,
        )

    def close(self) -> None:
        """Hang up everywhere."""
        for trunk in self._trunks:
            for visit in list(trunk.visits):
                visit.hang_up()
            trunk.visits.clear()
        self.phone.close()

    # -- our calls

    def pump(self) -> None:
        """Call every line that something waits for, as far as trunks and lines are free."""
        for job in list(self._outbox.waiting()):
            trunk = next((each for each in self._trunks if each.settings is job.trunk), None)
            if trunk is None or not trunk.up or not trunk.free or trunk.flow is None:
                continue
            at_once = 1 if trunk.settings.role == "centre" else trunk.settings.calls
            if trunk.in_call(job.dialled.number) < at_once:
                self._dial(trunk, trunk.flow, job)

    def _dial(self, trunk: Trunk, flow: Flow, job: Job) -> None:
        settings, dialled = trunk.settings, job.dialled
        jobs = [each for each in self._outbox.take(job.queue, settings.messages) if self._is_fresh(each)]
        items = [item for each in jobs for item in self._outbox.items(each)]
        if not items:
            self._fail(jobs, reasons.too_late())
            return
        machine = LineCall(
            caller=True,
            centre=settings.role == "centre",
            items=items,
            protocols=self._protocols.allowed(settings, dialled.number),
            terms=settings.terms,
        )
        try:
            visit = self._visit(trunk, dialled.number, dialled.caller, machine, outgoing=True)
        except OSError as error:
            self._fail(jobs, reasons.no_trunk(f"no port for a call: {error}"))
            return
        visit.jobs = jobs
        credentials = Credentials(settings.user, settings.password) if settings.user else None
        visit.call = self.phone.dial(
            flow,
            dialled.number,
            dialled.caller,
            trunk.host,
            visit.voice,
            laws=settings.payload_types,
            context=visit,
            credentials=credentials,
        )

    def _is_fresh(self, job: Job) -> bool:
        """Its validity is not over, and a whole call fits into its lease: nobody else may call meanwhile."""
        delivery, now = job.delivery, self._context.clock.now()
        longest = job.trunk.ring_timeout + job.trunk.call_limit
        if delivery.expires_at and delivery.expires_at <= now:
            self._fail([job], reasons.expired())
        elif delivery.deadline and delivery.deadline - now < longest:
            self._fail([job], reasons.too_late())
        else:
            return True
        return False

    def _visit(self, trunk: Trunk, line: str, ours: str, machine: LineCall, *, outgoing: bool) -> Visit:
        visit = Visit(
            self.phone, trunk.settings, line, ours, machine, self.phone.voice(), self._heard, self._loop.time()
        )
        visit.outgoing = outgoing
        trunk.visits.add(visit)
        return visit

    def answered(self, call: Call) -> None:
        """A line that we called has picked up."""
        visit, trunk = self._of(call)
        if visit is None or trunk is None:
            self.phone.hang_up(call)
            return
        trunk.answered(200, self._loop.time())
        visit.talk()

    def refused(self, call: Call, status: int, said: str) -> None:
        """A call of ours was not answered."""
        visit, trunk = self._of(call)
        if visit is None or trunk is None:
            return
        trunk.answered(status, self._loop.time())
        visit.gone()
        self._not_answered(trunk, visit, status, said)

    def _not_answered(self, trunk: Trunk, visit: Visit, status: int, said: str) -> None:
        trunk.visits.discard(visit)
        for job in visit.jobs:
            job.waiting.clear()
            error = reasons.call_refused(status, said, self._settings.busy_retry, job.delivery.attempt)
            self._fail([job], error, f"SIP {status} {said}".strip() if status else "no answer")
        self.pump()

    # -- calls to us

    def offered(self, call: Call) -> None:
        """Somebody calls. Only what a trunk brings to a number of ours is answered, and at once."""
        trunk, digit, status, why = self._door(call)
        if trunk is None:
            self.phone.refuse(call, status, why)
            return
        settings, line = trunk.settings, call.caller
        machine = LineCall(
            caller=False,
            centre=settings.role == "centre",
            protocols=self._protocols.allowed(settings, line),
            terms=settings.terms,
        )
        try:
            visit = self._visit(trunk, line, settings.number.lstrip("+"), machine, outgoing=False)
        except OSError:
            self.phone.refuse(call, _BUSY)
            return
        visit.subaddress = digit if settings.subaddresses and digit != settings.default_digit else ""
        visit.call = call
        call.context = visit
        trunk.answered(200, self._loop.time())
        self.phone.accept(call, visit.voice)
        if call.remote is not None:
            visit.talk()

    def _door(self, call: Call) -> tuple[Trunk | None, str, int, str]:
        """The trunk whose number was called and the digit behind it; else how to refuse."""
        peer = call.flow.peer[0]
        ours = [trunk for trunk in self._trunks if trunk.flow is not None and trunk.flow.peer[0] == peer]
        if not ours:
            return None, "", _FORBIDDEN, "not a trunk of ours"
        for trunk in ours:
            is_ours, digit = called_us(trunk.settings, call.called)
            if not is_ours:
                continue
            if not trunk.free:
                return None, "", _BUSY, ""
            return self._caller_is_welcome(trunk, trunk.settings, call, digit)
        return None, "", _NOT_FOUND, ""

    def _caller_is_welcome(
        self, trunk: Trunk, settings: TrunkSettings, call: Call, digit: str
    ) -> tuple[Trunk | None, str, int, str]:
        if not call.caller:
            return None, "", _ANONYMITY, "Anonymity Disallowed"
        if settings.role == "terminal" and not is_centre(settings, call.caller):
            return None, "", _NOT_NOW, ""  # a person calls a person: no line of ours rings for that
        return trunk, digit, 0, ""

    # -- what happens in calls

    def hung_up(self, call: Call) -> None:
        """The far end did."""
        visit, _ = self._of(call)
        if visit is not None:
            self._heard(visit, visit.gone())

    def _heard(self, visit: Visit, events: Sequence[e.Event]) -> None:
        ended = next((event for event in events if isinstance(event, e.Ended)), None)
        for event in events:
            if isinstance(event, e.Arrived):
                self._inbound.take(visit, event.payload, event.protocol)
            elif isinstance(event, e.Established):
                self._protocols.learn(visit.line, event.protocol)
                visit.established = True
            elif isinstance(event, e.Acknowledged):
                self._said(visit, *event.item.context)
            elif isinstance(event, e.Refused | e.Unclear | e.NotSent):
                self._unsaid(visit, event, ended or e.Ended(e.End.UNANSWERED))
        if ended is not None:
            self._over(visit)

    def _said(self, visit: Visit, job: Job, index: int) -> None:
        """A segment was acknowledged; with the last one the message is settled, while the call goes on."""
        if not self._outbox.said(job, index):
            return
        now = self._context.clock.now()
        if visit.trunk.role == "centre":
            outcome = self._outbox.close(job, OutcomeKind.DELIVERED, now, "ACK of the SMS terminal", visit.summary())
        else:
            outcome = self._outbox.close(job, OutcomeKind.ACCEPTED, now, "ACK of the SMS centre", visit.summary())
            names = references(job.delivery, visit.ours, len(job.forms))
            outcome = outcome and replace(outcome, references=names)
        self._owner.settle([outcome] if outcome else [])

    def _unsaid(self, visit: Visit, event: e.Refused | e.Unclear | e.NotSent, ended: e.Ended) -> None:
        job, index = event.item.context
        schedule, attempt = self._settings.busy_retry, job.delivery.attempt
        if isinstance(event, e.Refused):
            error = reasons.refused(event.cause, event.protocol, schedule, attempt)
        elif isinstance(event, e.Unclear):
            error = reasons.unclear(ended.end, schedule, attempt)
        elif event.unfit:
            error = reasons.unfit()
        else:
            had_terminal = visit.established or self._protocols.of(visit.line) != 0
            error = reasons.call_ended(ended.end, ended.detail, had_terminal, schedule, attempt)
        if self._outbox.unsaid(job, index, error, doubtful=isinstance(event, e.Unclear)):
            self._fail([job], job.error or error, visit.far_end())

    def _fail(self, jobs: Sequence[Job], error: SendError, source: str = "this server") -> None:
        now = self._context.clock.now()
        outcomes = []
        for job in jobs:
            job.error = job.error or error
            outcomes.append(self._outbox.close(job, OutcomeKind.FAILED, now, source))
        self._owner.settle([outcome for outcome in outcomes if outcome is not None])

    def _over(self, visit: Visit) -> None:
        visit.hang_up()
        for trunk in self._trunks:
            trunk.visits.discard(visit)
        self._loop.call_soon(self.pump)

    def overdue(self, now: float) -> None:
        """Lines that ring too long."""
        for trunk in self._trunks:
            for visit in list(trunk.visits):
                if not visit.answered and now - visit.since > trunk.settings.ring_timeout:
                    visit.hang_up()
                    self._not_answered(trunk, visit, 408, "rang too long")

    def _of(self, call: Call) -> tuple[Visit | None, Trunk | None]:
        visit = call.context
        trunk = next((each for each in self._trunks if visit in each.visits), None)
        return (visit, trunk) if isinstance(visit, Visit) and trunk is not None else (None, None)
