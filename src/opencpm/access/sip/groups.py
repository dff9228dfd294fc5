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
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import LIVE, Group, GroupWish
from opencpm.interfaces import Groups, LegEvents
from opencpm.protocols.conference_info import CONTENT_TYPE, build
from opencpm.protocols.sip.dialog import Dialog, uas_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_number
from opencpm.protocols.sip.message import Message as SipMessage
from opencpm.protocols.sip.response import Refusal

log = logging.getLogger("opencpm.access.sip.group")

EVENT = "conference"
LONGEST = 3600
SHORTEST = 60
"""Bounds of a subscription's life, seconds."""

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
        self._room.endpoint.answer(request, 202, fields=fields)

    # ------------------------------------------------------------------------------------------- SUBSCRIBE

    def subscribed(self, requests: Sequence[Request]) -> None:
        """Handler of SUBSCRIBE outside dialogs: the event package "conference" of a group's address."""
        for request in requests:
            self._guarded(request, self._subscribe)

    def _subscribe(self, request: Request) -> None:
        message = request.message
        if message.get("event").partition(";")[0].strip().lower() != EVENT or self.groups is None:
            raise Refusal(489, "", ("Allow-Events", EVENT))
        originator = self._authenticator.originator(request)
        if originator is None:
            return
        if len(self._subscriptions) >= _MAX_FOLLOWED:
            raise Refusal(503, "", ("Retry-After", "60"))
        focus = self._focus(request)
        expires = life(message)
        dialog = uas_dialog(message, request.to_tag)
        subscription = Subscription(
            self._room, dialog, originator.address, self._max_members, self._subscriptions.discard
        )
        group, stop = self.groups.follow(focus, originator.address, subscription.changed)
        self._subscriptions.add(subscription)
        subscription.begin(request, group, stop, expires)

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


class Subscription:
    """One device that follows a group: a `DialogUser`. One NOTIFY is under way at a time; the next has what is then."""

    def __init__(
        self,
        room: SessionRoom,
        dialog: Dialog,
        member: Address,
        maximum: int,
        over: Callable[[Subscription], None],
    ) -> None:
        self._room, self._dialog, self._member, self._maximum = room, dialog, member, maximum
        self._loop = asyncio.get_running_loop()
        self._over = over
        self._group: Group | None = None
        self._stop: Callable[[], None] = lambda: None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._under_way = self._again = self._ended = False

    def begin(self, request: Request, group: Group, stop: Callable[[], None], expires: int) -> None:
        self._group, self._stop = group, stop
        self._room.endpoint.adopt(self._dialog, self, request.flow)
        self._take(request, expires)

    def changed(self, group: Group) -> None:
        """A later version of the group."""
        self._group = group
        own = group.member(self._member)
        if own is None or own.state not in LIVE:
            self.end("noresource")
        else:
            self._notify()

    # DialogUser

    def requested(self, request: Request) -> None:
        if request.method != "SUBSCRIBE":
            self._room.endpoint.answer(request, 405, fields=[("Allow", "SUBSCRIBE")])
            return
        try:
            self._take(request, life(request.message))
        except (Refusal, SipError):
            self._room.endpoint.answer(request, 400)

    def acknowledged(self, ack: Request) -> None: ...

    def ack_missing(self) -> None: ...

    def _take(self, request: Request, expires: int) -> None:
        """Answer a SUBSCRIBE and notify at once (RFC 6665 §4.2.1.2)."""
        assert self._group is not None
        contact = focus_contact(self._room.home.uri(self._group.focus), request.flow)
        self._room.endpoint.answer(request, 200, fields=[contact, ("Expires", str(expires))])
        if self._timer is not None:
            self._timer.cancel()
        if expires == 0:
            self.end("timeout")
            return
        self._until = self._loop.time() + expires
        self._timer = self._loop.call_later(expires, self.end, "timeout")
        self._notify()

    # out

    def end(self, reason: str) -> None:
        """The last NOTIFY; nothing comes after it."""
        if self._ended:
            return
        self._ended = True
        self._stop()
        if self._timer is not None:
            self._timer.cancel()
        self._over(self)
        self._send(f"terminated;reason={reason}")

    def _notify(self) -> None:
        if self._ended:
            return
        if self._under_way:
            self._again = True
            return
        left = max(1, round(self._until - self._loop.time()))
        self._under_way = True
        self._send(f"active;expires={left}")

    def _send(self, state: str) -> None:
        endpoint, group = self._room.endpoint, self._group
        flow = endpoint.flow_in(self._dialog)
        if flow is None or group is None:
            return
        fields = [
            focus_contact(self._room.home.uri(group.focus), flow),
            ("Event", EVENT),
            ("Subscription-State", state),
            ("Content-Type", CONTENT_TYPE),
        ]
        body = build(conference_info(group, self._room.home, self._maximum))
        endpoint.send_in(self._dialog, "NOTIFY", fields, body, self._answered)

    def _answered(self, response: SipMessage | None, failed: bool) -> None:
        if response is not None and response.status < 200:
            return
        if self._ended:
            self._room.endpoint.release(self._dialog)
            return
        self._under_way = False
        if response is None or response.status >= 300:  # the device does not know of it any more (RFC 6665 §4.2.2)
            self._ended = True
            self._stop()
            if self._timer is not None:
                self._timer.cancel()
            self._over(self)
            self._room.endpoint.release(self._dialog)
        elif self._again:
            self._again = False
            self._notify()


def life(message: SipMessage) -> int:
    """How long a subscription shall live; 0 ends it."""
    asked = message.get("expires")
    if not asked:
        return LONGEST
    seconds = parse_number(asked, "Expires")
    if seconds == 0:
        return 0
    if seconds < SHORTEST:
        raise Refusal(423, "", ("Min-Expires", str(SHORTEST)))
    return min(seconds, LONGEST)


__all__ = ["FACTORY", "SERVICE", "GroupsIn", "Subscription"]
