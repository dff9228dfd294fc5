"""The sessions in which a web page takes part: invitations both ways, texts, typing, closing."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from opencpm.access.web.leg import Carry, Tell, WebLeg
from opencpm.access.web.problems import Problem
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.session import CloseReason, SessionOffer, SessionState
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Clock, Inbox, LegEvents

KEPT = 500  # sessions remembered, closed ones included
LIVE = 20  # live sessions of one subscriber
RING = 60.0  # seconds an invitation is shown
ALONE = 45.0  # seconds a session outlives the last page (a reload, a walk through a tunnel)


@dataclass(slots=True)
class Sessions:
    """All web legs of this process. ``tell`` puts an event on a subscriber's pages, ``carry`` a delivery."""

    clock: Clock
    tell: Tell
    carry: Carry
    legs: OrderedDict[str, WebLeg]

    # -- outgoing ------------------------------------------------------------------------------------------

    def invite(self, inbox: Inbox, offer: SessionOffer, owner: Subscriber, peer: str) -> WebLeg:
        """Ask for a session; the leg's ``inviting`` task ends when the other side has answered or refused.

        :raises Problem: too many live sessions.
        """
        if sum(leg.live for leg in self.of(owner.id)) >= LIVE:
            raise Problem(429, "too-many", f"You have {LIVE} open sessions. Close one first.")
        leg = WebLeg(
            offer=offer,
            owner=owner.id,
            peer=peer,
            mine=offer.initiator,
            far=offer.target,
            outgoing=True,
            tell=self.tell,
            carry=self.carry,
        )
        self._keep(leg)
        leg.inviting = asyncio.create_task(self._inviting(inbox, leg), name=f"web invitation {leg.id}")
        return leg

    async def _inviting(self, inbox: Inbox, leg: WebLeg) -> None:
        leg.move(SessionState.INVITED)
        try:
            events = await inbox.invited(leg.offer, leg)
        except SendError as refused:
            leg.over(refused.reason.value, refused.detail, refused)
        except asyncio.CancelledError:
            leg.over(Reason.CANCELLED.value, "You took the invitation back.")
        else:
            if leg.live:
                leg.established(events)
            else:
                events.closed(CloseReason.NORMAL)

    # -- incoming ------------------------------------------------------------------------------------------

    async def invited(self, offer: SessionOffer, events: LegEvents, owner: Subscriber, peer: str) -> WebLeg:
        """Show an invitation to the subscriber's pages and wait for what the person decides.

        :raises SendError: declined, or nobody answered.
        """
        leg = WebLeg(
            offer=offer,
            owner=owner.id,
            peer=peer,
            mine=offer.target,
            far=offer.initiator,
            outgoing=False,
            tell=self.tell,
            carry=self.carry,
        )
        self._keep(leg)
        leg.answer = asyncio.get_running_loop().create_future()
        if owner.preferences.accept_sessions:
            leg.answer.set_result(True)
        else:
            events.ringing()
            leg.move(SessionState.RINGING)
        await self._decided(leg)
        if not leg.live:  # accepted and closed within one turn of the loop
            raise SendError(Reason.DECLINED, detail="The person closed the session at once.")
        leg.established(events)
        return leg

    async def _decided(self, leg: WebLeg) -> None:
        assert leg.answer is not None
        try:
            async with asyncio.timeout(RING):
                accepted = await leg.answer
        except TimeoutError:
            leg.over(Reason.NO_ANSWER.value, "You did not answer.")
            raise SendError(Reason.NO_ANSWER, detail="The invitation was shown and nobody answered it.") from None
        except asyncio.CancelledError:
            leg.over(Reason.CANCELLED.value, "The invitation was taken back.")
            raise
        if not accepted:
            leg.over(Reason.DECLINED.value, "You declined.")
            raise SendError(Reason.DECLINED, detail="The person declined the session.")

    def decide(self, leg: WebLeg, accept: bool) -> None:
        """:raises Problem: there is nothing to decide any more."""
        if leg.answer is None or leg.answer.done() or not leg.live:
            raise Problem(409, "session-state", "This invitation is no longer open.")
        leg.answer.set_result(accept)

    # -- both ----------------------------------------------------------------------------------------------

    def close(self, leg: WebLeg, reason: CloseReason = CloseReason.NORMAL) -> None:
        """Our person closes: take back an invitation, decline one, or end the talk."""
        if leg.inviting is not None and not leg.inviting.done():
            leg.inviting.cancel()
        elif leg.answer is not None and not leg.answer.done():
            leg.answer.set_result(False)
        elif leg.live:
            leg.over(reason.value)
            if leg.events is not None:
                leg.events.closed(reason)

    def get(self, owner: str, session_id: str) -> WebLeg | None:
        leg = self.legs.get(session_id)
        return leg if leg is not None and leg.owner == owner else None

    def of(self, owner: str) -> list[WebLeg]:
        return [leg for leg in self.legs.values() if leg.owner == owner]

    def live(self) -> int:
        return sum(leg.live for leg in self.legs.values())

    def sweep(self, now: float, is_open: Callable[[str], bool]) -> None:
        """Close what has had no page for a while."""
        for leg in list(self.legs.values()):
            if not leg.live:
                continue
            if is_open(leg.owner):
                leg.alone_since = 0.0
            elif not leg.alone_since:
                leg.alone_since = now
            elif now - leg.alone_since > ALONE:
                self.close(leg, CloseReason.LOST)

    def shut_down(self) -> None:
        for leg in list(self.legs.values()):
            if leg.live:
                self.close(leg, CloseReason.SHUTDOWN)

    def _keep(self, leg: WebLeg) -> None:
        self.legs[leg.id] = leg
        if len(self.legs) > KEPT:
            closed = next((key for key, old in self.legs.items() if not old.live), None)
            if closed is not None:
                del self.legs[closed]
