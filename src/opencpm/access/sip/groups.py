"""Groups of devices: the conference factory, coming back, REFER, the event package "conference" (RFC 4579, 4575)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from opencpm.access.sip.auth import Authenticator, Originator
from opencpm.access.sip.content import clean
from opencpm.access.sip.endpoint import Request
from opencpm.access.sip.group_words import (
    FACTORY,
    SERVICE,
    conference_info,
    focus_contact,
    invited,
    is_closed,
    referral,
)
from opencpm.access.sip.reasons import refusal_fields, status_of
from opencpm.access.sip.session_content import Parties
from opencpm.access.sip.session_leg import ALLOW, SessionLeg, SessionRoom
from opencpm.access.sip.session_media import MediaPath
from opencpm.access.sip.session_timer import Refresh
from opencpm.access.sip.subscription import Subscription, life
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import LIVE, Group, GroupWish
from opencpm.interfaces import Groups, LegEvents
from opencpm.protocols.conference_info import CONTENT_TYPE, build
from opencpm.protocols.sip.dialog import uas_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.response import Refusal

log = logging.getLogger("opencpm.access.sip.group")

EVENT = "conference"
NOT_AUTHORISED = "127 Service not authorised"
"""Clients look for this text in the Warning of a 403."""

_MAX_FOLLOWED = 20_000
Timer = tuple[Refresh, list[tuple[str, str]]]


class GroupsIn:
    """What devices ask of groups. `groups` is messaging's; set when the access starts."""

    def __init__(self, room: SessionRoom, authenticator: Authenticator, max_members: int) -> None:
        self._room, self._authenticator, self._max_members = room, authenticator, max_members
        self.groups: Groups | None = None
        self._factory = Address("sip", f"{FACTORY}@{room.home.domain}")
        self._subscriptions: set[Subscription] = set()
        room.referred = self._referred_in_dialog

    def close(self) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.end("deactivated")

    @property
    def followed(self) -> int:
        """Subscriptions that stand."""
        return len(self._subscriptions)

    # ----------------------------------------------------------------------------------------- invitations

    def concerns(self, target: Address) -> bool:
        """Whether an INVITE to this address is about a group."""
        return target == self._factory or (self.groups is not None and self.groups.is_focus(target))

    async def invite(
        self,
        request: Request,
        originator: Originator,
        target: Address,
        leg: SessionLeg,
        path: MediaPath,
        timer: Timer,
    ) -> None:
        """Call a group together, or come back into one, and answer the INVITE."""
        groups, room = self.groups, self._room
        assert groups is not None
        try:
            if target == self._factory:
                group, events = await groups.convened(self._wish(request, originator), leg)
            else:
                group, events = groups.joined(target, originator.address, leg)
            self._accept(request, group, originator.address, leg, path, events, timer)
        except asyncio.CancelledError:
            room.endpoint.answer(request, 487)
        except SendError as error:
            self._refuse(request, error)
        except Refusal as refusal:
            room.endpoint.refuse(request, refusal)
        except Exception:
            log.exception("a group could not be called together")
            room.endpoint.answer(request, 500)

    def _wish(self, request: Request, originator: Originator) -> GroupWish:
        message = request.message
        return GroupWish(
            creator=originator.address,
            members=invited(message, self._room.home, self._max_members),
            subject=clean(message.get("subject"))[:255],
            conversation_id=clean(message.get("conversation-id"))[:256],
            contribution_id=clean(message.get("contribution-id"))[:256],
            closed=is_closed(message.body),
        )

    def _accept(
        self,
        request: Request,
        group: Group,
        member: Address,
        leg: SessionLeg,
        path: MediaPath,
        events: LegEvents,
        timer: Timer,
    ) -> None:
        room, (refresh, fields) = self._room, timer
        leg.into_group(group, member)
        dialog = uas_dialog(request.message, request.to_tag)
        leg.establish(dialog, request.flow, path, events, refresh, request.message)
        subject = [("Subject", " ".join(group.subject.split()))] if group.subject else []
        head = [leg.contact(request.flow), leg.asserted(), *leg.ids(), *subject, ("Allow", f"{ALLOW}, REFER"), *fields]
        room.endpoint.answer(request, 200, fields=[*head, ("Content-Type", "application/sdp")], body=leg.sdp)

    def _refuse(self, request: Request, error: SendError) -> None:
        host = self._room.home.domain
        fields = refusal_fields(error, host)
        if error.reason is Reason.BARRED:
            fields = [("Warning", f'399 {host} "{NOT_AUTHORISED}"'), *fields]
        self._room.endpoint.answer(request, status_of(error), fields=fields)

    # ----------------------------------------------------------------------------------------------- REFER

    def referred(self, requests: Sequence[Request]) -> None:
        """Handler of REFER outside dialogs."""
        for request in requests:
            self._guarded(request, self._refer_by_originator)

    def _refer_by_originator(self, request: Request) -> None:
        originator = self._authenticator.originator(request)
        if originator is not None:
            self._refer(request, self._focus(request), originator.address)

    def _referred_in_dialog(self, request: Request, parties: Parties) -> None:
        self._guarded(request, lambda one: self._refer(one, parties.recipient, parties.sender))

    def _refer(self, request: Request, focus: Address, by: Address) -> None:
        """Add or remove members. What became of them is told by NOTIFY of the group, so there is no subscription of
        its own (Refer-Sub: false, RFC 4488)."""
        if self.groups is None:
            raise Refusal(503)
        asked = referral(request.message, self._room.home, self._max_members)
        if asked.removing:
            for whom in asked.whom:
                self.groups.removed(focus, by, whom)
        else:
            self.groups.added(focus, by, asked.whom)
        fields = [focus_contact(self._room.home.uri(focus), request.flow), ("Refer-Sub", "false")]
        self.groups.stored(lambda: self._room.endpoint.answer(request, 202, fields=fields))

    # ------------------------------------------------------------------------------------------- SUBSCRIBE

    def subscribed(self, request: Request) -> None:
        """A SUBSCRIBE to the event package "conference" of a group's address."""
        self._guarded(request, self._subscribe)

    def _subscribe(self, request: Request) -> None:
        groups, room = self.groups, self._room
        if groups is None or len(self._subscriptions) >= _MAX_FOLLOWED:
            raise Refusal(503, "", ("Retry-After", "60"))
        originator = self._authenticator.originator(request)
        if originator is None:
            return
        focus, expires = self._focus(request), life(request.message)
        uri, dialog = room.home.uri(focus), room.dialog(request)
        subscription = Subscription(
            room.endpoint, dialog, EVENT, lambda flow: focus_contact(uri, flow), self._subscriptions.discard
        )
        seen = _Seen(room, originator.address, self._max_members, subscription)
        seen.group, stop = groups.follow(focus, originator.address, seen.changed)
        self._subscriptions.add(subscription)
        subscription.begin(request, expires, seen.content, stop)

    def _focus(self, request: Request) -> Address:
        found = self._room.home.address(request.message.uri)
        if self.groups is None or not self.groups.is_focus(found):
            raise Refusal(404)
        return found

    def _guarded(self, request: Request, serve: Callable[[Request], None]) -> None:
        try:
            serve(request)
        except Refusal as refusal:
            self._room.endpoint.refuse(request, refusal)
        except SipError as error:
            self._room.endpoint.refuse(request, Refusal(error.status, str(error)))
        except SendError as error:
            self._refuse(request, error)


class _Seen:
    """What one subscription shows of a group, to one of its members."""

    def __init__(self, room: SessionRoom, member: Address, maximum: int, subscription: Subscription) -> None:
        self._room, self._member, self._maximum, self._subscription = room, member, maximum, subscription
        self.group: Group

    def changed(self, group: Group) -> None:
        """A later version of the group; the last one for somebody who is out."""
        self.group = group
        own = group.member(self._member)
        if own is None or own.state not in LIVE:
            self._subscription.end("noresource")
        else:
            self._subscription.changed()

    def content(self) -> tuple[str, bytes]:
        return CONTENT_TYPE, build(conference_info(self.group, self._room.home, self._maximum))


__all__ = ["FACTORY", "SERVICE", "GroupsIn"]
