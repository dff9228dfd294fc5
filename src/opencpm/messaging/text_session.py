"""Sessions with people whose network has none: asked for by a text, answered by a word, bridged message by message.

The person is invited with a text and joins with a word ("YES"); their texts then belong to the session until they
leave with a word, or nobody has said anything for a while. What they write before they joined is a message like any
other: it is never lost, whatever it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.policy import TextSessions as Terms
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.domain.wording import says
from opencpm.interfaces import DeliveryRecord, Done, Leg, LegEvents
from opencpm.messaging.accept import Accept
from opencpm.messaging.answers import into
from opencpm.messaging.ground import Ground

_INVITE = "invite"


class TextLeg:
    """The side of somebody who only has texts. Implements :class:`opencpm.interfaces.Leg`."""

    def __init__(self, house: TextSessions, offer: SessionOffer, network: str, events: LegEvents) -> None:
        self.network = network
        self.offer = offer
        self.events = events
        self.joined = False
        self.helped = False
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._house = house
        self._idle: asyncio.TimerHandle | None = None

    def ringing(self) -> None: ...

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Never called: texts to this side go by the network's connector like any message."""
        raise AssertionError("texts of a bridged session are carried by its network")

    def composing(self, composing: Composing) -> None:
        """Nobody is told by text that somebody types."""

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        self._house.left(self)
        return f"{self.network} has no sessions: nothing to close"

    def heard_from(self) -> None:
        """Something was said: silence is counted from now on."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._house.terms.idle, self._silent)

    def _silent(self) -> None:
        self.ended(CloseReason.IDLE, f"nothing was said for {self._house.terms.idle:.0f} s")

    def ended(self, reason: CloseReason, detail: str) -> None:
        """This side ends the session."""
        self._house.left(self)
        self.events.closed(reason, detail)

    def stop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()


class TextSessions:
    """All bridged sessions and open invitations, by who takes part: (subscriber, the other one's address)."""

    def __init__(self, ground: Ground, accept: Accept) -> None:
        self._ground = ground
        self._accept = accept
        self._legs: dict[tuple[str, Address], list[TextLeg]] = {}  # the newest last

    @property
    def terms(self) -> Terms:
        return self._ground.policy.text_sessions

    # -- asking ------------------------------------------------------------------------------------------------

    async def open(self, offer: SessionOffer, network: str, events: LegEvents) -> Leg:
        """Invite by text and wait for the answer. Cancelling withdraws.

        :raises SendError: declined, no answer in time, or the invitation could not be sent.
        """
        leg = TextLeg(self, offer, network, events)
        self._legs.setdefault(self._key(offer), []).append(leg)
        try:
            await self._say(leg, _INVITE, self._words(self.terms.invitation, offer))
            events.ringing()
            async with asyncio.timeout(self.terms.invite_timeout):
                await leg.answer
        except TimeoutError:
            self.left(leg)
            detail = "They did not answer the invitation; send a message instead."
            raise SendError(Reason.NO_ANSWER, detail=detail) from None
        except BaseException:
            self.left(leg)
            raise
        leg.joined = True
        leg.heard_from()
        return leg

    def failed(self, record: DeliveryRecord, error: SendError) -> None:
        """A text could not be delivered: where it was an invitation, that is the answer."""
        if record.message.kind is MessageKind.SYSTEM:
            for leg in self._legs.get(self._key_of(record.message), ()):
                if record.message.message_id == f"{leg.offer.id}-{_INVITE}":
                    _answer(leg, SendError(error.reason, detail=f"The invitation did not arrive: {error.detail}"))

    def left(self, leg: TextLeg) -> None:
        """It is over, on this side or on the other."""
        leg.stop()
        key = self._key(leg.offer)
        rest = [other for other in self._legs.get(key, ()) if other is not leg]
        if rest:
            self._legs[key] = rest
        else:
            self._legs.pop(key, None)

    # -- hearing -----------------------------------------------------------------------------------------------

    def received(self, messages: Sequence[Message], done: Done) -> None:
        """What networks bring: texts of bridged sessions and answers to invitations go their way, all else as ever."""
        if not self._legs:
            self._accept.received(messages, done)
            return
        verdicts = _Verdicts(len(messages), done)
        for place, message in enumerate(messages):
            leg = self._leg_of(message)
            given = verdicts.place(place)
            if leg is None:
                self._accept.received([message], given)
            else:
                self._heard(leg, message, given)

    def _heard(self, leg: TextLeg, message: Message, done: Done) -> None:
        text, terms = message.text, self.terms
        if leg.joined:
            if says(text, terms.leave):
                self._noted(message, "leaves the session", done, lambda: leg.ended(CloseReason.LEFT, text))
            else:
                leg.heard_from()
                leg.events.received([message], done)
        elif says(text, terms.accept):
            self._noted(message, "accepts the session", done, lambda: _answer(leg, None))
        elif says(text, terms.reject):
            declined = SendError(Reason.DECLINED, detail="They declined the session.")
            self._noted(message, "declines the session", done, lambda: _answer(leg, declined))
        else:
            self._accept.received([message], done)
            self._help(leg)

    def _noted(self, message: Message, what: str, done: Done, then: Callable[[], None]) -> None:
        """A word for the session and not for the person: kept like any message, and acted upon after the commit."""

        def committed(verdicts: Sequence[SendError | None]) -> None:
            done(verdicts)
            if verdicts[0] is None:
                then()

        self._accept.noted(message, what, committed)

    def _help(self, leg: TextLeg) -> None:
        """Once, to somebody who answers an invitation with something else."""
        if not leg.helped:
            leg.helped = True
            self._send(leg, "help", self._words(self.terms.help, leg.offer), lambda _: None)

    def _leg_of(self, message: Message) -> TextLeg | None:
        """Whom this text belongs to: the newest invitation or session between the two."""
        if len(message.recipients) != 1:
            return None
        owner = self._ground.directory.owner_of(message.recipients[0])
        legs = self._legs.get((owner.id, message.sender)) if owner is not None else None
        return next((leg for leg in reversed(legs or ()) if leg.network == message.origin), None)

    # -- saying ------------------------------------------------------------------------------------------------

    async def _say(self, leg: TextLeg, what: str, text: str) -> None:
        """Returns when the text is on its way. :raises SendError: it cannot be sent."""
        given: asyncio.Future[Sequence[SendError | None]] = asyncio.get_running_loop().create_future()

        self._send(leg, what, text, into(given))
        error = (await given)[0]
        if error is not None:
            raise error

    def _send(self, leg: TextLeg, what: str, text: str, done: Done) -> None:
        offer, now = leg.offer, self._ground.clock.now()
        ident = f"{offer.id}-{what}"
        message = Message(
            id=message_ident(offer.initiator, ident),
            message_id=ident,
            sender=offer.initiator,
            recipients=(offer.target,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin="server",
            conversation_id=offer.conversation_id,
            contribution_id=offer.contribution_id,
            kind=MessageKind.SYSTEM,
            route=leg.network,
            expires_at=now + self.terms.invite_timeout,
        )
        self._accept.received([message], done)

    def _words(self, template: str, offer: SessionOffer) -> str:
        owner = self._ground.directory.owner_of(offer.initiator)
        subject = f' "{offer.subject}"' if offer.subject else ""
        name = owner.name if owner is not None else offer.initiator.value
        terms = self.terms
        return template.format(name=name, subject=subject, accept=terms.accept[0], reject=terms.reject[0])

    def _key(self, offer: SessionOffer) -> tuple[str, Address]:
        return self._pair(offer.initiator, offer.target)

    def _key_of(self, invitation: Message) -> tuple[str, Address]:
        return self._pair(invitation.sender, invitation.recipients[0])

    def _pair(self, inviter: Address, target: Address) -> tuple[str, Address]:
        owner = self._ground.directory.owner_of(inviter)
        return (owner.id if owner is not None else "", target)


class _Verdicts:
    """Gathers the verdicts of a batch whose messages went different ways."""

    def __init__(self, number: int, done: Done) -> None:
        self._given: list[SendError | None] = [None] * number
        self._open = number
        self._done = done

    def place(self, at: int) -> Done:
        def given(verdicts: Sequence[SendError | None]) -> None:
            self._given[at] = verdicts[0]
            self._open -= 1
            if not self._open:
                self._done(self._given)

        return given


def _answer(leg: TextLeg, error: SendError | None) -> None:
    if leg.answer.done():
        return
    if error is None:
        leg.answer.set_result(None)
    else:
        leg.answer.set_exception(error)
