"""Requests and their responses: what a RES settles, and what goes again because none came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from opencpm.domain.errors import SendError
from opencpm.domain.report import Report, Status
from opencpm.interfaces import Context
from opencpm.protocols.mm4 import Response
from opencpm.protocols.mms.content import bare_id

from . import reasons
from .compose import Outgoing
from .names import reference
from .peer import Peer
from .settings import Mm4Settings
from .waiting import Pending, Waiting

_MARGIN = 5.0
_AT_ONCE = 20
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Carried(NamedTuple):
    """Who took a request over, in words for the trail."""

    source: str
    detail: str


class Exchange:
    """All requests of one network that are under way."""

    def __init__(
        self,
        settings: Mm4Settings,
        context: Context,
        peers: Mapping[str, Peer],
        report: Callable[[Report], None],
        spawn: Spawn,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.waiting = Waiting(context.store, context.name)
        self._settings, self._context, self._peers = settings, context, peers
        self._report, self._spawn = report, spawn
        self._answers: dict[tuple[str, str], asyncio.Future[Response]] = {}
        self._again: set[tuple[str, str]] = set()

    async def request(self, peer: Peer, outgoing: Outgoing, deadline: float) -> Carried:
        """Send, and wait a while for the RES; later ones become reports. Raises SendError."""
        key = (peer.name, outgoing.transaction)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._answers[key] = answer
        try:
            sent = await peer.send(outgoing)
            if not peer.settings.responses:
                return Carried(f"SMTP of {peer.name}", sent.reply)
            response = await self._awaited(answer, deadline)
        finally:
            if self._answers.get(key) is answer:
                del self._answers[key]
        if response is None:
            self._keep(peer, outgoing)
            return Carried(f"SMTP of {peer.name}", f"{sent.reply}; no response yet")
        if error := reasons.refused(response.status, response.status_text):
            raise error
        return Carried(response.type, f"{response.status} from {peer.name}")

    async def _awaited(self, answer: asyncio.Future[Response], deadline: float) -> Response | None:
        left = deadline - self._context.clock.now() - _MARGIN
        try:
            async with asyncio.timeout(max(0.0, min(self._settings.answer_wait, left))):
                return await answer
        except TimeoutError:
            return None

    def _keep(self, peer: Peer, outgoing: Outgoing) -> None:
        named = reference(peer.name, outgoing.reference) if outgoing.reference else ""
        due = self._context.clock.now() + self._settings.response_timeout
        pending = Pending(
            transaction=outgoing.transaction, peer=peer.name, recipient=outgoing.recipient, reference=named, due=due
        )
        self.waiting.add(pending, outgoing.data)

    # -- responses

    def response(self, peer: Peer, response: Response) -> None:
        """A RES; correlated by its transaction alone: peers put ids of their own in Message-ID."""
        transaction = bare_id(response.transaction_id)
        answer = self._answers.get((peer.name, transaction))
        if answer is not None and not answer.done():
            answer.set_result(response)
            return
        pending = self.waiting.get(peer.name, transaction)
        if pending is None:
            self.counters["responses to nothing"] += 1
            return
        error = reasons.refused(response.status, response.status_text)
        if error is not None and error.retryable and pending.sent <= self._settings.resends:
            self.waiting.again(pending, self._context.clock.now() + self._pause(pending), sent=False)
            return
        self.waiting.over(pending)
        self._tell(pending, error, f"{response.status} {response.status_text}".strip())

    # -- no response

    def resend(self) -> None:
        """Take up what is due; call it now and then."""
        now = self._context.clock.now()
        for pending, mail in self.waiting.due(now):
            key = (pending.peer, pending.transaction)
            if len(self._again) >= _AT_ONCE:
                return
            if key not in self._again:
                self._again.add(key)
                self._spawn(self._send_again(pending, mail))

    async def _send_again(self, pending: Pending, mail: bytes) -> None:
        try:
            peer = self._peers.get(pending.peer)
            if peer is None or not mail or pending.sent > self._settings.resends:
                self.waiting.over(pending)
                self._tell(pending, None, f"no response came to {pending.sent} mails")
                return
            await self._once_more(peer, pending, mail)
        finally:
            self._again.discard((pending.peer, pending.transaction))

    async def _once_more(self, peer: Peer, pending: Pending, mail: bytes) -> None:
        try:
            await peer.send(Outgoing(pending.transaction, pending.recipient, mail))
        except SendError as error:
            if error.retryable:
                self.waiting.again(pending, self._context.clock.now() + self._settings.retry_max, sent=False)
            else:
                self.waiting.over(pending)
                self._tell(pending, error, "the mail was refused")
            return
        self.counters["sent again"] += 1
        self.waiting.again(pending, self._context.clock.now() + self._pause(pending), sent=True)

    def _pause(self, pending: Pending) -> float:
        return self._settings.response_timeout * 2.0**pending.sent

    def _tell(self, pending: Pending, error: SendError | None, detail: str) -> None:
        if pending.reference:
            self._report(
                Report(
                    status=Status.PENDING if error is None else Status.FAILED,
                    network=self._context.name,
                    source="MM4_forward.RES",
                    at=self._context.clock.now(),
                    key=pending.reference,
                    error=error,
                    detail=detail,
                )
            )
