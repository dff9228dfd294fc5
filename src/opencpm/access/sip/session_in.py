"""Invitations from devices: INVITE becomes a session that messaging joins to another side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace

from opencpm.access.sip.auth import Authenticator, Originator
from opencpm.access.sip.content import clean
from opencpm.access.sip.endpoint import Request
from opencpm.access.sip.file_in import Partials, file_in
from opencpm.access.sip.groups import GroupsIn
from opencpm.access.sip.pager import ROUTE_HEADER
from opencpm.access.sip.reasons import refusal_fields, status_of
from opencpm.access.sip.registrar import Registrar
from opencpm.access.sip.session_content import Parties, read
from opencpm.access.sip.session_large import FILE, LARGE, StandaloneEvents, service_asked_for
from opencpm.access.sip.session_leg import ALLOW, SessionLeg, SessionRoom
from opencpm.access.sip.session_media import MediaPath
from opencpm.access.sip.session_out import invited_parties
from opencpm.access.sip.session_terms import Invitation, read_invitation
from opencpm.access.sip.session_timer import Refresh, from_request
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.session import SessionOffer
from opencpm.interfaces import Directory, Inbox, LegEvents
from opencpm.protocols import cpim
from opencpm.protocols.sip.dialog import uas_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.response import Refusal
from opencpm.transport.flow import Flow

__all__ = ["InvitationsIn"]

log = logging.getLogger("opencpm.access.sip.session")
_MAX_ID = 256
Timer = tuple[Refresh, list[tuple[str, str]]]


class InvitationsIn:
    """Serves INVITE outside dialogs. Each invitation is a task of its own while it is being answered."""

    def __init__(
        self, room: SessionRoom, authenticator: Authenticator, registrar: Registrar, directory: Directory
    ) -> None:
        self._room, self._authenticator = room, authenticator
        self._registrar, self._directory = registrar, directory
        self._tasks: dict[asyncio.Task[None], Flow] = {}
        self.inbox: Inbox | None = None
        self.groups: GroupsIn | None = None
        self.max_file = room.settings.max_message
        self._partials = Partials()

    def served(self, requests: Sequence[Request]) -> None:
        """Handler of INVITE."""
        for request in requests:
            try:
                self._one(request)
            except Refusal as refusal:
                self._room.endpoint.refuse(request, refusal)
            except SipError as error:
                self._room.endpoint.refuse(request, Refusal(error.status, str(error)))

    def close(self) -> None:
        """Refuse what is not answered yet."""
        for task in self._tasks:
            task.cancel()

    def lost(self, flow: Flow) -> None:
        """A device's connection has gone: what it asked for and was not answered is withdrawn."""
        for task, way in self._tasks.items():
            if way is flow:
                task.cancel()

    def _one(self, request: Request) -> None:
        room = self._room
        if self.inbox is None or len(room.legs) + len(self._tasks) >= room.settings.max_sessions:
            raise Refusal(503, "", ("Retry-After", "10"))
        originator = self._authenticator.originator(request)
        if originator is None:
            return
        target, device = self._registrar.whom(request.message.uri)
        invitation = read_invitation(request.message, room.home.domain)
        timer = from_request(request.message, room.settings.min_expires)
        if self.groups is not None and self.groups.concerns(target):
            self._into_group(self.groups, request, originator, target, invitation, timer)
            return
        offer = replace(self._offer(request, originator, invitation, target), device=device)
        if service_asked_for(request.message) in LARGE:
            self._take_large(self.inbox, request, invitation, offer, timer)
            return
        if service_asked_for(request.message) in FILE or invitation.terms.is_file:
            self._take_file(self.inbox, request, invitation, offer, timer)
            return
        if self._joins(request, invitation, offer, timer):
            return
        leg = SessionLeg(room, _parties(offer, room.name), request)
        asking = self._invite(self.inbox, request, offer, leg, leg.prepare(invitation), timer)
        self._ask(request, asking)

    def _ask(self, request: Request, asking: Coroutine[None, None, None]) -> None:
        self._room.endpoint.answer(request, 100)
        task = asyncio.get_running_loop().create_task(asking)
        self._tasks[task] = request.flow
        task.add_done_callback(self._tasks.pop)
        request.on_cancel = lambda: _cancel(task)

    def _into_group(
        self,
        groups: GroupsIn,
        request: Request,
        originator: Originator,
        target: Address,
        invitation: Invitation,
        timer: Timer,
    ) -> None:
        """The conference factory, or a group that the device knows."""
        uas_dialog(request.message, request.to_tag)  # a Contact there must be, before anybody is asked
        parties = Parties(originator.address, target, self._room.name)
        leg = SessionLeg(self._room, parties, request)
        path = leg.prepare(invitation)
        self._ask(request, groups.invite(request, originator, target, leg, path, timer))

    async def _invite(
        self,
        inbox: Inbox,
        request: Request,
        offer: SessionOffer,
        leg: SessionLeg,
        path: MediaPath,
        timer: Timer,
    ) -> None:
        """Ask the other side and answer the INVITE. Cancelled by CANCEL."""
        room = self._room
        try:
            events = await inbox.invited(offer, leg)
            self._accept(request, leg, path, events, timer)
        except asyncio.CancelledError:
            room.endpoint.answer(request, 487)
        except SendError as error:
            room.endpoint.answer(request, status_of(error), fields=refusal_fields(error, room.home.domain))
        except Refusal as refusal:
            room.endpoint.refuse(request, refusal)
        except Exception:
            log.exception("an invitation failed")
            room.endpoint.answer(request, 500)

    def _accept(
        self,
        request: Request,
        leg: SessionLeg,
        path: MediaPath,
        events: LegEvents,
        timer: Timer,
        service: str = "session",
    ) -> None:
        """200 with our answer; from now on the leg has the dialog."""
        room, (refresh, fields) = self._room, timer
        dialog = uas_dialog(request.message, request.to_tag)
        leg.establish(dialog, request.flow, path, events, refresh, request.message)
        head = [room.contact(request.flow, service), leg.asserted(), *leg.ids(), ("Allow", ALLOW), *fields]
        room.endpoint.answer(request, 200, fields=[*head, ("Content-Type", "application/sdp")], body=leg.sdp)

    def _joins(self, request: Request, invitation: Invitation, offer: SessionOffer, timer: Timer) -> bool:
        """Two people invite each other at the same time: the later invitation is the answer to the earlier one, as
        both devices would refuse the other's while their own is pending."""
        for fork in self._room.forks:
            if self._same(fork.offer.target, offer.initiator) and self._same(fork.offer.initiator, offer.target):
                leg = SessionLeg(self._room, invited_parties(fork.offer, self._room.name), request)
                path = leg.prepare(invitation)
                if fork.join(leg):
                    self._accept(request, leg, path, fork.events, timer)
                    return True
        return False

    def _same(self, one: Address, other: Address) -> bool:
        """Whether two addresses are of one person."""
        owner = self._directory.owner_of(one)
        return one == other or (owner is not None and owner == self._directory.owner_of(other))

    def _take_large(
        self, inbox: Inbox, request: Request, invitation: Invitation, offer: SessionOffer, timer: Timer
    ) -> None:
        """Large message mode: we take the whole message whether the receiver is there or not, then it goes its way
        like any standalone message. The MSRP answer says whether it was stored."""
        parties = replace(_parties(offer, self._room.name), session_id="")
        leg = SessionLeg(self._room, parties, request)
        self._accept(request, leg, leg.prepare(invitation), StandaloneEvents(inbox), timer, "largemsg")

    def _take_file(
        self, inbox: Inbox, request: Request, invitation: Invitation, offer: SessionOffer, timer: Timer
    ) -> None:
        """A file transfer (RFC 5547): taken like a large message, and it has to be what was announced."""
        room = self._room
        parties = replace(_parties(offer, room.name), session_id="")
        codec = file_in(
            invitation,
            parties,
            self._partials,
            limit=self.max_file,
            now=room.around.clock.now(),
            host=room.home.domain,
        )
        leg = SessionLeg(room, parties, request, codec)
        self._accept(request, leg, leg.prepare(invitation), StandaloneEvents(inbox), timer, "filetransfer")

    def _offer(self, request: Request, originator: Originator, invitation: Invitation, target: Address) -> SessionOffer:
        """The neutral form. Raises Refusal 400, 404 or 416."""
        room, message = self._room, request.message
        uas_dialog(message, request.to_tag)  # a Contact there must be, before anybody is asked
        ids = [clean(message.get(name)) for name in ("conversation-id", "contribution-id")]
        ids.append(clean(message.get("inreplyto-contribution-id") or message.get("in-reply-to-contribution-id")))
        if any(len(value) > _MAX_ID for value in ids):
            raise Refusal(400, "Conversation or contribution id too long")
        session_id, now = room.around.ids.new(), room.around.clock.now()
        return SessionOffer(
            id=session_id,
            initiator=originator.address,
            target=target,
            origin=room.name,
            at=now,
            conversation_id=ids[0],
            contribution_id=ids[1],
            in_reply_to=ids[2],
            subject=clean(message.get("subject")),
            content_types=invitation.terms.wrapped_types or invitation.terms.accept_types,
            route=clean(message.get(ROUTE_HEADER)),
            first=self._first(invitation.first, originator.address, target, session_id, now),
        )

    def _first(self, body: bytes, sender: Address, target: Address, session_id: str, now: float) -> Message | None:
        """The text that came with the invitation (SIMPLE IM); typing and the like there say nothing."""
        if not body:
            return None
        parties = Parties(sender, target, self._room.name, session_id)
        try:
            found = read(cpim.CONTENT_TYPE, body, session_id, parties, now, self._room.settings.max_message)
            return self._room.resolve(found) if isinstance(found, Message) else None
        except SendError as error:
            raise Refusal(413 if error.reason is Reason.TOO_LARGE else 400, str(error)) from None


def _parties(offer: SessionOffer, network: str) -> Parties:
    return Parties(
        offer.initiator,
        offer.target,
        network,
        offer.id,
        offer.conversation_id,
        offer.contribution_id,
        offer.in_reply_to,
    )


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
