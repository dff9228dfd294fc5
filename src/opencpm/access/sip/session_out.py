"""Invitations to devices: one INVITE to each of a subscriber's devices; the first that answers has the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import Request, Sent
from opencpm.access.sip.group_words import SERVICE, focus_contact, invitation_body
from opencpm.access.sip.reasons import error_of
from opencpm.access.sip.session_content import Codec, Parties
from opencpm.access.sip.session_leg import ALLOW, SessionLeg, SessionRoom
from opencpm.access.sip.session_media import MediaPath
from opencpm.access.sip.session_terms import FileOffer, connect_to, offer_terms, read_answer
from opencpm.access.sip.session_timer import from_response
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.session import SessionOffer
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import LegEvents
from opencpm.protocols.sdp import SENDRECV, MsrpMedia, SdpError
from opencpm.protocols.sip.dialog import Dialog, uac_dialog
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import accept_contact, icsi
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.status import preferred
from opencpm.transport.flow import Flow

__all__ = ["Fork", "invited_parties"]

log = logging.getLogger("opencpm.access.sip.session")

_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
_CSEQ = 1


def invited_parties(offer: SessionOffer, network: str) -> Parties:
    """Who speaks on the invited side."""
    return Parties(offer.target, offer.initiator, network, offer.id, offer.conversation_id, offer.contribution_id)


@dataclass(slots=True, eq=False)
class _Branch:
    """The invitation of one device."""

    binding: Binding
    flow: Flow
    ours: MsrpMedia
    body: bytes
    expires: int
    sent: Sent | None = None
    ringing: bool = False  # has got a 1xx, so it can be cancelled
    cancelled: bool = False
    dialog: Dialog | None = None
    status: int = -1  # of the failure; 0: no answer
    error: SendError | None = None


class Fork:
    """One invitation to all devices. `ask` gives the leg of the device that answered. `service` is the ICSI suffix,
    `direction` what our SDP says; `file` is what is offered in a file transfer, `codec` what the leg carries."""

    def __init__(
        self,
        room: SessionRoom,
        offer: SessionOffer,
        events: LegEvents,
        initiator: Subscriber | None,
        *,
        service: str = "session",
        direction: str = SENDRECV,
        file: FileOffer | None = None,
        codec: Codec | None = None,
    ) -> None:
        self._service = service if offer.group is None else SERVICE
        self._direction = direction
        self._file, self._codec = file, codec
        self.offer, self.events = offer, events
        self._room, self._initiator = room, initiator
        self._branches: list[_Branch] = []
        self._answered: asyncio.Future[SessionLeg] = asyncio.get_running_loop().create_future()
        self._winner: _Branch | None = None
        self._joined = False

    async def ask(self, devices: Sequence[Binding]) -> SessionLeg:
        """Ring all devices. Cancelling this withdraws the invitation. Raises SendError."""
        for binding in devices:
            self._branches.append(self._branch(binding))
        for branch in self._branches:
            self._invite(branch)
        self._room.forks.add(self)
        try:
            async with asyncio.timeout(self._room.settings.ring):
                return await self._answered
        except TimeoutError:
            raise SendError(Reason.NO_ANSWER, detail="nobody answered the invitation") from None
        finally:
            self._room.forks.discard(self)
            self._cancel_others()

    def join(self, leg: SessionLeg) -> bool:
        """See `Crossing`."""
        if self._answered.done():
            return False
        self._joined = True
        self._answered.set_result(leg)
        return True

    def _branch(self, binding: Binding) -> _Branch:
        room, flow = self._room, binding.flow
        hub, ids = room.around.hub, room.around.ids
        if flow is None:
            raise SendError(Reason.UNREACHABLE, retryable=True, detail="the way to the device is gone")
        uri = (hub.uri(ids.new(), secure=True) if flow.secure else None) or hub.uri(ids.new())
        if uri is None:
            raise SendError(Reason.NETWORK_DOWN, retryable=True, detail="MSRP is not being listened for")
        ours, body = offer_terms(
            uri,
            max_size=room.settings.max_message,
            number=room.number(),
            direction=self._direction,
            fingerprint=room.fingerprint,
            file=self._file,
        )
        return _Branch(binding, flow, ours, body, room.settings.expires)

    # out

    def _invite(self, branch: _Branch) -> None:
        content_type, body = self._content(branch)
        branch.sent = self._room.endpoint.send(
            branch.flow,
            "INVITE",
            branch.binding.contact,
            [*self._fields(branch), ("Content-Type", content_type)],
            body,
            lambda response, failed: self._heard(branch, response, failed),
        )

    def _content(self, branch: _Branch) -> tuple[str, bytes]:
        """Our SDP; into a group with who is in it, for a file with its preview."""
        group, boundary = self.offer.group, f"b{self._room.around.ids.new()}"
        if group is not None:
            return invitation_body(branch.body, group, self._room.home, boundary)
        return self._file.body(branch.body, boundary) if self._file is not None else ("application/sdp", branch.body)

    def _contact(self, branch: _Branch) -> tuple[str, str]:
        if self.offer.group is None:
            return self._room.contact(branch.flow, self._service)
        return focus_contact(self._room.home.uri(self.offer.group.focus), branch.flow)

    def _fields(self, branch: _Branch) -> list[tuple[str, str]]:
        room, offer, binding = self._room, self.offer, branch.binding
        home, ids, rcs = room.home, room.around.ids, not branch.binding.plain
        fields = [
            ("Max-Forwards", "70"),
            *[("Route", path) for path in binding.path],
            ("From", f"<{home.uri(offer.initiator, tel=rcs)}>;tag={ids.new()}"),
            ("To", f"<{home.uri(offer.target)}>"),
            ("Call-ID", f"{ids.new()}@{room.endpoint.via_host}"),
            ("CSeq", f"{_CSEQ} INVITE"),
            self._contact(branch),
            ("P-Asserted-Identity", home.asserted(offer.initiator, self._initiator, tel=rcs)),
            ("P-Asserted-Service", icsi(self._service)),
            ("Accept-Contact", accept_contact(self._service, require=False)),
            ("P-Called-Party-ID", f"<{home.uri(offer.target)}>"),
            ("Allow", ALLOW),
            ("Supported", "timer"),
            ("Session-Expires", str(branch.expires)),
        ]
        named = (
            ("Conversation-ID", offer.conversation_id),
            ("Contribution-ID", offer.contribution_id),
            ("InReplyTo-Contribution-ID", offer.in_reply_to),
            ("Subject", " ".join(offer.subject.split())),
            ("Referred-By", f"<{home.uri(offer.referred_by)}>" if offer.referred_by else ""),
        )
        return [*fields, *[(n, v) for n, v in named if v]]

    # in

    def _heard(self, branch: _Branch, response: Message | None, failed: bool) -> None:
        if response is None:
            self._failed(branch, 0, None)
        elif response.status < 200:
            self._provisional(branch, response.status)
        elif response.status < 300:
            self._accepted(branch, response)
        elif response.status == 422 and branch.error is None and self._with_longer_timer(branch, response):
            return
        else:
            self._failed(branch, response.status, response)

    def _provisional(self, branch: _Branch, status: int) -> None:
        branch.ringing = True
        if branch.cancelled:
            self._send_cancel(branch)
        elif status > 100 and not self._answered.done():
            self.events.ringing()

    def _with_longer_timer(self, branch: _Branch, response: Message) -> bool:
        """422: once more with the interval the device wants (RFC 4028 §7.3)."""
        least = response.get("min-se").partition(";")[0].strip()
        if branch.cancelled or not (least.isascii() and least.isdigit() and len(least) < 7):
            return False
        if int(least) <= branch.expires:
            return False
        branch.expires = int(least)
        self._invite(branch)
        return True

    def _failed(self, branch: _Branch, status: int, response: Message | None) -> None:
        if branch.dialog is not None or branch.error is not None:
            return
        branch.status, branch.error = status, error_of(status, response)
        if self._answered.done() or any(b.error is None for b in self._branches):
            return
        best = preferred([b.status or 408 for b in self._branches])
        found = next((b.error for b in self._branches if (b.status or 408) == best), branch.error)
        self._answered.set_exception(found or branch.error)

    def _accepted(self, branch: _Branch, response: Message) -> None:
        endpoint = self._room.endpoint
        if branch.dialog is not None:  # a repeated 200: our ACK was lost
            if endpoint.flow_in(branch.dialog) is not None:
                endpoint.acknowledge(branch.dialog, _CSEQ)
            return
        assert branch.sent is not None
        try:
            branch.dialog = uac_dialog(branch.sent.message, response)
        except SipError:
            self._failed(branch, 500, None)
            return
        if self._answered.done() or branch.cancelled:
            self._turn_away(branch, branch.dialog, _ELSEWHERE)
            return
        self._win(branch, branch.dialog, response)

    def _win(self, branch: _Branch, dialog: Dialog, response: Message) -> None:
        try:
            theirs = read_answer(response, file=self._file is not None)
            target = connect_to(theirs) if theirs.setup == "passive" else None
        except SdpError as error:
            self._turn_away(branch, dialog, f'SIP;cause=488;text="{error}"')
            refusal = SendError(Reason.NOT_ACCEPTABLE, detail=f"the device answered with other media: {error}")
            self._answered.set_exception(refusal)
            return
        self._winner = branch
        leg = SessionLeg(self._room, self._parties(), codec=self._codec)
        if self.offer.group is not None:
            leg.into_group(self.offer.group, self.offer.target)
        path = MediaPath(branch.ours, theirs, target)
        leg.sdp = branch.body
        leg.establish(dialog, branch.flow, path, self.events, from_response(response), response)
        self._room.endpoint.acknowledge(dialog, _CSEQ)
        self._answered.set_result(leg)

    def _parties(self) -> Parties:
        return invited_parties(self.offer, self._room.name)

    # those that lost

    def _cancel_others(self) -> None:
        """The fork is over: every device that still rings is told."""
        for branch in self._branches:
            if branch is not self._winner and branch.error is None and branch.dialog is None and not branch.cancelled:
                branch.cancelled = True
                if branch.ringing:
                    self._send_cancel(branch)

    def _send_cancel(self, branch: _Branch) -> None:
        assert branch.sent is not None
        if self._winner is not None or self._joined:
            branch.sent.message.headers["reason"] = [_ELSEWHERE]
        self._room.endpoint.cancel(branch.sent)

    def _turn_away(self, branch: _Branch, dialog: Dialog, reason: str) -> None:
        """A device answered too late, or unusably: ACK, then BYE (RFC 3261 §13.2.2.4)."""
        endpoint = self._room.endpoint
        endpoint.adopt(dialog, _Nobody(self._room), branch.flow)
        endpoint.acknowledge(dialog, _CSEQ)

        def ended(response: Message | None, failed: bool) -> None:
            if response is None or response.status >= 200:
                endpoint.release(dialog)

        endpoint.send_in(dialog, "BYE", [("Reason", " ".join(reason.split()))], on_answer=ended)


class _Nobody:
    """The user of a dialog that is being ended."""

    def __init__(self, room: SessionRoom) -> None:
        self._room = room

    def requested(self, request: Request) -> None:
        self._room.endpoint.answer(request, 200 if request.method == "BYE" else 481)

    def acknowledged(self, ack: Request) -> None: ...

    def ack_missing(self) -> None: ...
