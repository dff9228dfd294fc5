"""One attempt to submit one message: adapt, send, and once more where the answer asks for a change."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Protocol

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.report import Reference
from opencpm.interfaces import Context
from opencpm.interworking.mms.outgoing import Ready, adapted
from opencpm.interworking.mms.targets import Targets
from opencpm.media import words
from opencpm.protocols.breaker import Breaker
from opencpm.protocols.mm7.verdict import Verdict, verdict_of
from opencpm.transport.http_client import NotSent, Reply, Unanswered

from . import reasons
from .compose import Composer
from .linked import Linked
from .settings import Mm7Settings
from .terms import Terms, changed
from .underway import Underway

log = logging.getLogger("opencpm.mm7")

_US = "this server"
_OUTSIDE = ("authentication", "configuration")
"""Reasons that concern the link and not the message."""


class Way(Protocol):
    """How a request reaches the centre."""

    async def post(self, content_type: str, body: bytes, headers: dict[str, str] | None = None) -> Reply: ...


class Exchange:
    """Submits for one network. One for all lanes: it knows what the centre understands."""

    def __init__(
        self, settings: Mm7Settings, context: Context, targets: Targets, linked: Linked, breaker: Breaker
    ) -> None:
        self.release = settings.speaks
        self.counters: Counter[str] = Counter()
        self.composer = Composer(settings)
        self.underway = Underway(context.store, f"{context.name}.underway", context.clock.now())
        self._context, self._targets, self._linked, self._breaker = context, targets, linked, breaker

    async def submit(self, delivery: Delivery, way: Way) -> Outcome:
        """One outcome, never an error."""
        try:
            return await self._submit(delivery, way)
        except SendError as error:
            return self._failed(delivery, error)

    async def _submit(self, delivery: Delivery, way: Way) -> Outcome:
        if self.underway.spent(delivery.id):
            self.underway.answered(delivery.id)
            raise reasons.unanswered(last=True)
        person = delivery.message.sender
        linked = self._linked.of_answer(person, delivery.target, self._context.clock.now())
        parts = delivery.message.parts
        media = any(part.media_type != "text/plain" for part in parts)
        terms = Terms(release=self.release, linked=linked, target=self._targets.of(delivery.target), media=media)
        ready = await adapted(parts, terms.target, self._context.media)
        while True:
            verdict = await self._post(delivery, ready, terms, way)
            if verdict.meaning.accepted:
                return self._accepted(delivery, terms, verdict, ready)
            following = changed(terms, verdict.meaning.retry)
            if following is None:
                raise self._refused(delivery, verdict)
            log.info("%s: %s; once more with a change", delivery.id, verdict.said)
            self.counters[f"again {verdict.code}"] += 1
            if terms.linked and not following.linked:
                self._linked.unknown(person, delivery.target)
            if following.target is not terms.target:
                ready = await adapted(parts, following.target, self._context.media)
            terms = following

    async def _post(self, delivery: Delivery, ready: Ready, terms: Terms, way: Way) -> Verdict:
        """Raises SendError where nothing was sent or nothing came back."""
        now = self._context.clock.now()
        content_type, body = self.composer.compose(delivery, ready.parts, terms, now)
        await self.underway.begin(delivery.id, now)
        try:
            reply = await way.post(content_type, body, {"SOAPAction": '""'})
            verdict = verdict_of(reply.status, reply.content_type, reply.body)
            if verdict is None:
                raise Unanswered(f"HTTP {reply.status} without a SubmitRsp")
            verdict = verdict._replace(retry_after=reply.retry_after)
        except NotSent as error:
            self.underway.withdrawn(delivery.id)
            self._breaker.failed(str(error), self._context.clock.now())
            raise reasons.no_connection(str(error)) from None
        except Unanswered as error:
            self.counters["unanswered"] += 1
            log.warning("%s: %s", delivery.id, error)
            raise self._unanswered(delivery) from None
        self._judge(verdict)
        if not verdict.meaning.accepted:
            self.underway.answered(delivery.id)
        return verdict

    def interrupted(self, delivery: Delivery) -> SendError:
        """Its time was over: amid a submission, or before there was one."""
        return self._unanswered(delivery) if self.underway.begun(delivery.id) else reasons.too_late()

    def _unanswered(self, delivery: Delivery) -> SendError:
        """Nothing came back. After the second time it is not sent again."""
        last = self.underway.spent(delivery.id)
        if last:
            self.underway.answered(delivery.id)
        return reasons.unanswered(last)

    def _judge(self, verdict: Verdict) -> None:
        now = self._context.clock.now()
        if verdict.meaning.reason in _OUTSIDE:
            self._breaker.failed(f"the centre says {verdict.said}", now, refused=True)
        else:
            self._breaker.answered(now)

    def _accepted(self, delivery: Delivery, terms: Terms, verdict: Verdict, ready: Ready) -> Outcome:
        doubled = self.underway.doubled(delivery.id)
        self.underway.answered(delivery.id)
        if terms.release != self.release:
            log.warning("the centre understands %s; remembered", terms.release.version)
            self.release = terms.release
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.ACCEPTED,
            at=self._context.clock.now(),
            source=verdict.source,
            references=(Reference(key=verdict.message_id),) if verdict.message_id else (),
            doubled=doubled,
            detail=f"{verdict.said}; {words.size(ready.size)}",
            losses=ready.losses,
        )

    def _refused(self, delivery: Delivery, verdict: Verdict) -> SendError:
        self.counters[f"refused {verdict.code}"] += 1
        return reasons.refused(verdict.meaning, delivery.attempt, verdict.said, verdict.retry_after)

    def _failed(self, delivery: Delivery, error: SendError) -> Outcome:
        source = "MM7" if error.code else _US
        return failed(delivery, error, self._context.clock.now(), source)


def failed(delivery: Delivery, error: SendError, at: float, source: str = _US) -> Outcome:
    """The outcome of an attempt that failed."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )
