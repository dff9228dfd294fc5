"""Bringing messages and reports to a VASP: one request, and once more in another release if it asks for that."""

from __future__ import annotations

from collections import Counter

from opencpm.access.mm7 import reasons
from opencpm.access.mm7.account import Account
from opencpm.access.mm7.compose import Composer
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.interfaces import Clock
from opencpm.protocols.mm7 import Mm7Error, Release
from opencpm.protocols.mm7.schema import other
from opencpm.protocols.mm7.status import Retry
from opencpm.protocols.mm7.verdict import Verdict, verdict_of
from opencpm.transport.http_client import NotSent, Unanswered

_US = "this server"
_OUTSIDE = ("authentication", "configuration")


class Pushes:
    """The way out to all accounts."""

    def __init__(self, composer: Composer, clock: Clock) -> None:
        self.counters: Counter[str] = Counter()
        self._composer, self._clock = composer, clock

    async def push(self, account: Account, delivery: Delivery) -> Outcome:
        """One outcome, never an error."""
        try:
            return await self._push(account, delivery)
        except SendError as error:
            return failed(delivery, error, self._clock.now(), "MM7" if error.code else _US)

    async def _push(self, account: Account, delivery: Delivery) -> Outcome:
        release = account.release
        verdict = await self._post(account, delivery, release)
        if verdict is not None and verdict.meaning.retry is Retry.OTHER_RELEASE:
            release = other(release)
            verdict = await self._post(account, delivery, release)
        if verdict is None:
            return self._taken(delivery, _US, "MM7 has no word for it")
        if not verdict.meaning.accepted:
            self.counters[f"refused {verdict.code}"] += 1
            raise reasons.refused(verdict.meaning, verdict.said)
        account.release = release
        return self._taken(delivery, verdict.source, verdict.said)

    async def _post(self, account: Account, delivery: Delivery, release: Release) -> Verdict | None:
        """None: there is nothing to say. Raises SendError."""
        if account.poster is None:
            raise reasons.takes_none()
        try:
            composed = self._composer.compose(delivery, account.terms, release, self._clock.now())
        except Mm7Error as error:
            raise SendError(Reason.MALFORMED, detail=f"this cannot be written as MM7: {error}") from None
        if composed is None:
            return None
        try:
            reply = await account.poster.post(*composed, {"SOAPAction": '""'})
            verdict = verdict_of(reply.status, reply.content_type, reply.body)
        except NotSent as error:
            account.breaker.failed(str(error), self._clock.now())
            raise reasons.not_reached(str(error)) from None
        except Unanswered:
            self.counters["unanswered"] += 1
            raise reasons.unanswered() from None
        if verdict is None:
            self.counters["unanswered"] += 1
            raise reasons.unanswered()
        self._judge(account, verdict)
        return verdict

    def _judge(self, account: Account, verdict: Verdict) -> None:
        if verdict.meaning.reason in _OUTSIDE:
            account.breaker.failed(f"it says {verdict.said}", self._clock.now(), refused=True)
        else:
            account.breaker.answered(self._clock.now())

    def _taken(self, delivery: Delivery, source: str, detail: str) -> Outcome:
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.DELIVERED,
            at=self._clock.now(),
            source=source,
            detail=detail,
        )


def failed(delivery: Delivery, error: SendError, at: float, source: str = _US) -> Outcome:
    """The outcome of an attempt that failed."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )
