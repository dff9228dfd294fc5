"""One device's side of a session: a SIP dialog and the MSRP media it agreed on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.endpoint import Endpoint, Request
from opencpm.access.sip.group_words import focus_contact
from opencpm.access.sip.reasons import refusal_fields, status_of
from opencpm.access.sip.session_content import Codec, Parties, Texts, read_message
from opencpm.access.sip.session_media import Media, MediaPath, Surroundings
from opencpm.access.sip.session_settings import SessionSettings
from opencpm.access.sip.session_terms import Invitation, answer_to, connect_to, read_invitation
from opencpm.access.sip.session_timer import OFF, Refresh, from_request, from_response
from opencpm.access.sip.session_watch import Watch
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import SendError
from opencpm.domain.group import Group
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import LegEvents
from opencpm.protocols.sip.dialog import Dialog, uas_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import ICSI_TAG, feature_parameter, icsi
from opencpm.protocols.sip.message import Message as SipMessage
from opencpm.protocols.sip.response import Refusal
from opencpm.transport.flow import Flow

__all__ = ["ALLOW", "Crossing", "SessionLeg", "SessionRoom"]

log = logging.getLogger("opencpm.access.sip.session")

ALLOW = "INVITE, ACK, CANCEL, BYE, UPDATE, MESSAGE, OPTIONS"
_BYE_REASONS = {
    CloseReason.LOST: 'SIP;cause=503;text="Connection lost"',
    CloseReason.SHUTDOWN: 'SIP;cause=503;text="Server is stopping"',
    CloseReason.REFUSED: 'SIP;cause=603;text="Declined"',
}
_COMPLETED = 'SIP;cause=200;text="Call completed"'
_OVER = frozenset({404, 408, 410, 481})
"""Answers to a refresh after which the dialog does not exist (RFC 3261 §12.2.1.2)."""


class Crossing(Protocol):
    """An invitation under way to a subscriber's devices, which one of theirs may cross."""

    offer: SessionOffer
    events: LegEvents

    def join(self, leg: SessionLeg) -> bool:
        """The invited person has invited the inviting one: that is an answer. False if there is one already."""


@dataclass(slots=True, eq=False)
class SessionRoom:
    """What all legs share."""

    endpoint: Endpoint
    home: Home
    settings: SessionSettings
    around: Surroundings
    name: str = "sip"
    fingerprint: str = ""  # of our certificate (RFC 8122), for MSRP over TLS
    resolve: Callable[[Message], Message] = lambda message: message  # puts files into messages that name them
    legs: set[SessionLeg] = field(default_factory=set)
    forks: set[Crossing] = field(default_factory=set)
    referred: Callable[[Request, Parties], None] | None = None  # a REFER inside a group's dialog

    def contact(self, flow: Flow, service: str = "session") -> tuple[str, str]:
        """Our Contact header, with a CPM service."""
        return "Contact", self.endpoint.contact(flow, feature_parameter(ICSI_TAG, [icsi(service)]))

    def dialog(self, request: Request) -> Dialog:
        """The dialog that our 2xx to this request makes. Raises Refusal 400."""
        return uas_dialog(request.message, request.to_tag)

    def number(self) -> int:
        """For o= lines: unique enough, and rising."""
        return int(self.around.clock.now() * 1000)


class SessionLeg:
    """A `Leg` and a `DialogUser`. `request` is the INVITE still to be answered, on the inviting side."""

    def __init__(
        self, room: SessionRoom, parties: Parties, request: Request | None = None, codec: Codec | None = None
    ) -> None:
        self.network = room.name
        self.standing = False
        self._room, self._parties, self._request = room, parties, request
        self._codec = codec or Texts(room.resolve)
        self._loop = asyncio.get_running_loop()
        self._dialog: Dialog | None = None
        self._media: Media | None = None
        self._events: LegEvents | None = None
        self._focus = ""  # the group's URI, where this is a member of one
        self.sdp = b""  # our own description, repeated in refreshes
        self._number, self._version = room.number(), 0
        self._rang = self._reinviting = False
        self._updates = False
        self._refresh = OFF
        self._refresh_timer: asyncio.TimerHandle | None = None
        self._watch = Watch(room.settings.idle, room.settings.grace, self._give_up)

    # Leg

    def ringing(self) -> None:
        """180 to the inviting device."""
        request = self._request
        if request is not None and not request.answered and not self._rang:
            self._rang = True
            self._room.endpoint.answer(request, 180, fields=[self.contact(request.flow), self.asserted()])

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See `Leg.send`."""
        self._watch.traffic()
        if self._media is not None:
            self._media.send(deliveries)

    def composing(self, composing: Composing) -> None:
        """See `Leg.composing`."""
        if self._media is not None:
            self._media.composing(composing)

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        """BYE, once the device has answered for what was sent."""
        if not self.standing or self._dialog is None:
            return "was gone already"
        self.standing = False
        if self._media is not None:
            await self._media.drained(self._room.settings.linger)
        if self._room.endpoint.flow_in(self._dialog) is None:
            return "BYE from the device, at the same time"
        answered: asyncio.Future[str] = self._loop.create_future()

        def heard(said: str) -> None:
            if not answered.done():
                answered.set_result(said)

        self._bye(_BYE_REASONS.get(reason, _COMPLETED), heard)
        self._leave()
        return await answered

    # set-up

    def asserted(self) -> tuple[str, str]:
        """P-Asserted-Identity of the person at the other side."""
        return "P-Asserted-Identity", f"<{self._room.home.uri(self._parties.recipient)}>"

    def contact(self, flow: Flow) -> tuple[str, str]:
        """Our Contact in this dialog."""
        return focus_contact(self._focus, flow) if self._focus else self._room.contact(flow)

    def into_group(self, group: Group, member: Address) -> None:
        """This is the leg of a member of a group."""
        home = self._room.home
        self._focus = home.uri(group.focus)
        self._parties = Parties(
            member,
            group.focus,
            self.network,
            group.id,
            group.conversation_id,
            group.contribution_id,
            named=lambda address: home.uri(address, tel=True),
        )

    def ids(self) -> list[tuple[str, str]]:
        """The conversation's ids, where the invitation had them."""
        parties = self._parties
        pairs = (("Conversation-ID", parties.conversation_id), ("Contribution-ID", parties.contribution_id))
        return [(name, value) for name, value in pairs if value]

    def prepare(self, invitation: Invitation) -> MediaPath:
        """Make our answer to a device's offer (`sdp`), before anybody is asked. Raises Refusal 488."""
        path, self.sdp = self._terms(invitation)
        return path

    def establish(
        self,
        dialog: Dialog,
        flow: Flow,
        path: MediaPath,
        events: LegEvents,
        refresh: Refresh,
        peer: SipMessage,
    ) -> None:
        """The session stands; `sdp` has been set. `peer` is what the device said last (its Allow counts)."""
        room = self._room
        self._dialog, self._events, self.standing = dialog, events, True
        self._updates = "update" in peer.tokens("allow")
        self._media = Media(
            room.around,
            path,
            self._parties,
            events,
            self._codec,
            on_traffic=self._watch.traffic,
            on_lost=self._watch.lost,
            on_found=self._watch.found,
        )
        room.endpoint.adopt(dialog, self, flow)
        room.legs.add(self)
        self._arm_refresh(refresh)
        self._watch.start()

    def _terms(self, invitation: Invitation) -> tuple[MediaPath, bytes]:
        """Our terms for an offer, on a path of their own. Raises Refusal 488."""
        room, theirs = self._room, invitation.terms
        uri = room.around.hub.uri(room.around.ids.new(), secure=theirs.secure)
        if uri is None:
            raise Refusal(488, "", ("Warning", f'302 {room.home.domain} "MSRP over TLS is not available"'))
        self._version += 1
        ours, body = answer_to(
            invitation,
            uri,
            max_size=room.settings.max_message,
            number=self._number,
            version=self._version,
            fingerprint=room.fingerprint,
        )
        return MediaPath(ours, theirs, connect_to(theirs) if ours.setup == "active" else None), body

    # DialogUser

    def requested(self, request: Request) -> None:
        """An in-dialog request."""
        try:
            self._serve(request)
        except Refusal as refusal:
            self._room.endpoint.refuse(request, refusal)
        except SipError as error:
            self._room.endpoint.refuse(request, Refusal(error.status, str(error)))

    def _serve(self, request: Request) -> None:
        endpoint, method = self._room.endpoint, request.method
        if method == "BYE":
            endpoint.answer(request, 200)
            self._said_bye(request.message)
        elif not self.standing:
            raise Refusal(481)
        elif method in ("INVITE", "UPDATE"):
            self._offered_again(request)
        elif method == "MESSAGE":
            self._said(request)
        elif method == "REFER" and self._focus and self._room.referred is not None:
            self._room.referred(request, self._parties)
        elif method == "OPTIONS":
            endpoint.answer(request, 200, fields=[("Allow", ALLOW), ("Accept", "application/sdp")])
        else:
            raise Refusal(405, "", ("Allow", ALLOW))

    def acknowledged(self, ack: Request) -> None:
        """The device has our 200."""
        self._watch.traffic()

    def ack_missing(self) -> None:
        """Our 200 was never acknowledged."""
        self._give_up(CloseReason.LOST, "no ACK from the device")

    def _said_bye(self, bye: SipMessage) -> None:
        reason = bye.get("reason")
        cause = reason.partition("cause=")[2].partition(";")[0].strip()
        kind = CloseReason.LEFT if cause == "480" else CloseReason.LOST if cause.startswith("5") else CloseReason.NORMAL
        self._closed(kind, f"BYE {reason}".strip())

    def _offered_again(self, request: Request) -> None:
        """A re-INVITE or UPDATE: a session refresh, or another path after a lost connection."""
        if self._reinviting and request.method == "INVITE":
            raise Refusal(491)
        room, message = self._room, request.message
        refresh, fields = from_request(message, room.settings.min_expires)
        body = b""
        if message.body or request.method == "INVITE":
            body = self._answer_again(message)
        self._watch.traffic()
        if refresh.expires:
            self._arm_refresh(refresh)
        head = [self.contact(request.flow), self.asserted(), *self.ids(), ("Allow", ALLOW), *fields]
        content = [("Content-Type", "application/sdp")] if body else []
        room.endpoint.answer(request, 200, fields=[*head, *content], body=body)

    def _answer_again(self, message: SipMessage) -> bytes:
        media = self._media
        assert media is not None
        if not message.body:
            return self.sdp  # no offer: we make one, of what stands
        invitation = read_invitation(message, self._room.home.domain)
        if invitation.terms.path == media.path.theirs.path:
            return self.sdp
        path, self.sdp = self._terms(invitation)
        media.move(path)
        return self.sdp

    def _said(self, request: Request) -> None:
        """A MESSAGE inside the dialog belongs to the session."""
        room, events = self._room, self._events
        assert events is not None
        self._watch.traffic()
        message = request.message
        wire_id = f"{message.get('call-id')}\n{message.get('cseq')}"
        try:
            now, limit = room.around.clock.now(), room.settings.max_message
            found = read_message(message, wire_id, self._parties, now, limit)
            if isinstance(found, Message):
                found = room.resolve(found)
        except SendError as error:
            self._verdict(request, error)
            return
        if isinstance(found, Message):
            events.received([found], lambda verdicts: self._verdict(request, verdicts[0]))
        elif isinstance(found, Composing):
            events.composing(found)
            self._verdict(request, None)
        else:
            events.reported(found, lambda: self._verdict(request, None))

    def _verdict(self, request: Request, error: SendError | None) -> None:
        if error is None:
            self._room.endpoint.answer(request, 200)
        else:
            fields = refusal_fields(error, self._room.home.domain)
            self._room.endpoint.answer(request, status_of(error), fields=fields)

    # the session timer (RFC 4028)

    def _arm_refresh(self, refresh: Refresh) -> None:
        self._refresh = refresh
        if self._refresh_timer is not None:
            self._refresh_timer.cancel()
            self._refresh_timer = None
        if refresh.expires:
            self._refresh_timer = self._loop.call_later(refresh.due, self._refresh_due)

    def _refresh_due(self) -> None:
        if not self._refresh.ours:
            self._give_up(CloseReason.LOST, "the session was not refreshed")
            return
        dialog, endpoint = self._dialog, self._room.endpoint
        flow = endpoint.flow_in(dialog) if dialog is not None else None
        if dialog is None or flow is None:
            return
        fields = [
            self.contact(flow),
            ("Supported", "timer"),
            ("Allow", ALLOW),
            ("Session-Expires", f"{self._refresh.expires};refresher=uac"),
        ]
        if self._updates:
            endpoint.send_in(dialog, "UPDATE", fields, on_answer=self._refreshed)
            return
        self._reinviting = True
        fields.append(("Content-Type", "application/sdp"))
        endpoint.send_in(dialog, "INVITE", fields, self.sdp, self._reinvited)

    def _reinvited(self, response: SipMessage | None, failed: bool) -> None:
        if response is not None and response.status < 200:
            return
        self._reinviting = False
        if response is not None and response.status < 300 and self._dialog is not None and self.standing:
            number = int(response.get("cseq").split()[0])
            self._room.endpoint.acknowledge(self._dialog, number)
        self._refreshed(response, failed)

    def _refreshed(self, response: SipMessage | None, failed: bool) -> None:
        if not self.standing or (response is not None and response.status < 200):
            return
        if response is None or response.status in _OVER:
            self._give_up(CloseReason.LOST, "the device does not answer the session refresh")
        elif response.status < 300:
            self._watch.traffic()
            self._arm_refresh(from_response(response) if response.get("session-expires") else self._refresh)
        else:  # 491 and the like: once more, a little later
            self._refresh_timer = self._loop.call_later(2.1, self._refresh_due)

    # the end

    def _give_up(self, reason: CloseReason, detail: str) -> None:
        """We end it: BYE to the device, and word to the other side."""
        if not self.standing:
            return
        self._bye(_BYE_REASONS.get(reason, _COMPLETED), lambda said: None)
        self._closed(reason, detail)

    def _bye(self, reason: str, answered: Callable[[str], None]) -> None:
        """Send BYE; `answered` is told what came back, once."""
        dialog = self._dialog
        assert dialog is not None

        def heard(response: SipMessage | None, failed: bool) -> None:
            if response is None:
                answered("BYE, connection lost" if failed else "BYE, no answer")
            elif response.status >= 200:
                answered(f"BYE {response.status} {response.reason}".strip())

        try:
            self._room.endpoint.send_in(dialog, "BYE", [("Reason", reason)], on_answer=heard)
        except (SipError, KeyError) as error:
            log.warning("BYE could not be sent: %s", error)
            answered("BYE could not be sent")

    def _closed(self, reason: CloseReason, detail: str) -> None:
        was_standing = self.standing
        self.standing = False
        self._leave()
        if was_standing and self._events is not None:
            self._events.closed(reason, detail)

    def _leave(self) -> None:
        self._watch.stop()
        if self._refresh_timer is not None:
            self._refresh_timer.cancel()
        if self._media is not None:
            self._media.end(self._room.settings.linger)
        if self._dialog is not None:
            self._room.endpoint.release(self._dialog)
        self._room.legs.discard(self)
