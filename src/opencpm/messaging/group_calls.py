"""Invitations into groups: a session where the person's network has sessions, messages where it has none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import Group, Member
from opencpm.domain.message import Message, MessageKind, text_part
from opencpm.domain.plan import Action, Candidate, Form, Plan
from opencpm.domain.session import SessionOffer
from opencpm.domain.subscriber import GroupInvitations, Subscriber
from opencpm.messaging.ground import Ground
from opencpm.messaging.group_seat import Seat

if TYPE_CHECKING:
    from opencpm.messaging.group import Focus

log = logging.getLogger("opencpm.groups")

AGAIN = 30.0
"""Seconds before somebody who did not answer is rung again."""

_RUNG = 10_000
"""Invitations without an answer that are remembered."""

_NO_SESSIONS = frozenset({Reason.OFFLINE, Reason.NOT_ACCEPTABLE, Reason.UNSUPPORTED_MEDIA, Reason.NETWORK_DOWN})
"""Reasons after which a subscriber's devices may still take messages."""


class Calls:
    """One invitation at a time to each member of each group."""

    def __init__(self, ground: Ground, focus: Focus) -> None:
        self._ground, self._focus = ground, focus
        self._calling: dict[tuple[str, Address], asyncio.Task[None]] = {}
        self.talking: Callable[[str, Address], bool] = lambda host, member: False  # in a session of two already
        self._rung: dict[tuple[str, Address], float] = {}

    def call(self, group: Group, member: Member, anew: bool = False) -> None:
        """Invite, unless that is under way. ``anew``: somebody asked for it; else those who did not answer lately
        are left alone."""
        key = (group.id, member.address)
        if key in self._calling:
            return
        if not anew and self._ground.clock.now() - self._rung.get(key, 0.0) < AGAIN:
            return
        task = asyncio.get_running_loop().create_task(self._call(group, member))
        self._calling[key] = task
        task.add_done_callback(lambda _: self._calling.pop(key, None))

    def stop(self) -> None:
        for task in tuple(self._calling.values()):
            task.cancel()

    async def settled(self) -> None:
        """Wait until no invitation is under way."""
        while self._calling:
            await asyncio.wait(self._calling.values())

    def can_host(self, host: Member, guest: Member) -> bool:
        """Whether messages to somebody on a foreign network can go in this member's name."""
        return self._by_messages(host.address, guest).action is not Action.REFUSE

    async def _call(self, group: Group, member: Member) -> None:
        try:
            await self._ask(group, member)
        except SendError as error:
            self._focus.not_reached(group, member, error)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("an invitation of %s into a group failed", member.address)
            self._focus.not_reached(group, member, SendError(Reason.INTERNAL, retryable=True))

    async def _ask(self, group: Group, member: Member) -> None:
        host = self._ground.directory.subscriber(member.host)
        if host is None:
            raise SendError(Reason.UNREACHABLE, detail="Whoever brought them in is not here any more.")
        source = host.addresses[0]
        subscriber = self._ground.directory.owner_of(member.address)
        ours = subscriber is not None
        if subscriber is not None and subscriber.id != host.id:
            self._check_welcome(subscriber, source)
        plan = self._ground.plan(None, source, member.address, session=True)
        refusal = plan.error or SendError(Reason.NO_ROUTE, detail=plan.reason)
        talks = not ours and self.talking(host.id, member.address)  # one conversation there: it is not taken away
        if plan.chosen is not None and plan.chosen.form is not Form.TEXTS and not talks:
            try:
                await self._open(group, member, plan.chosen, source, ours)
                return
            except SendError as error:
                refusal = error
        if refusal.reason is Reason.DECLINED or (ours and refusal.reason not in _NO_SESSIONS):
            raise refusal
        by_messages = self._by_messages(source, member)
        if by_messages.action is Action.SEND and by_messages.chosen is not None:
            self._focus.by_messages(group, member, by_messages.chosen.network, True)
        elif by_messages.action is Action.DEFER and not ours:
            self._focus.by_messages(group, member, by_messages.candidates[0].network, False)
        else:
            raise refusal if ours else by_messages.error or refusal

    def _check_welcome(self, subscriber: Subscriber, by: Address) -> None:
        """:raises SendError: they do not want to be put into groups by this person."""
        wish = subscriber.preferences.group_invitations
        stranger = self._ground.directory.contact(subscriber.id, by).id == str(by)
        if wish is GroupInvitations.NOBODY or (wish is GroupInvitations.CONTACTS and stranger):
            raise SendError(Reason.DECLINED, detail=f"{subscriber.name} does not want to be put into this group.")

    async def _open(self, group: Group, member: Member, chosen: Candidate, source: Address, ours: bool) -> None:
        """A session with their device, from the group; or with them on their network, from the host's own account."""
        connector = self._ground.connectors[chosen.network]
        seat = Seat(self._focus, group.id, member.address)
        seat.source = None if ours else chosen.source
        offer = SessionOffer(
            id=self._ground.ids.new(),
            initiator=group.focus if ours else chosen.source,
            target=chosen.target,
            origin="group",
            at=self._ground.clock.now(),
            conversation_id=group.conversation_id,
            contribution_id=group.contribution_id,
            subject=group.subject,
            group=group,
            referred_by=source,
        )
        if len(self._rung) >= _RUNG:
            self._rung.clear()
        self._rung[group.id, member.address] = offer.at
        leg = await connector.open(offer, seat)
        self._rung.pop((group.id, member.address), None)
        self._focus.reached(group, member, seat, leg)

    def _by_messages(self, source: Address, member: Member) -> Plan:
        """The way of a short text to them now."""
        now = self._ground.clock.now()
        message = Message(
            id="",
            message_id="",
            sender=source,
            recipients=(member.address,),
            parts=(text_part("Hello"),),
            sent_at=now,
            received_at=now,
            origin="group",
            kind=MessageKind.CHAT,
        )
        return self._ground.plan(message, source, member.address)
