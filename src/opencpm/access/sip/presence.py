"""Presence over SIP: devices publish how their user is (RFC 3903) and follow how others are (RFC 3856)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencpm.access.sip.auth import Authenticator
from opencpm.access.sip.content import rfc3339
from opencpm.access.sip.endpoint import Request
from opencpm.access.sip.reasons import refusal_fields, status_of
from opencpm.access.sip.session_leg import SessionRoom
from opencpm.access.sip.subscription import Subscription, life, package_of
from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability
from opencpm.interfaces import Presences
from opencpm.protocols import mime
from opencpm.protocols.pidf import AWAY, BUSY, CONTENT_TYPE, Pidf, PidfError, build, parse
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.response import Refusal

EVENT = "presence"
_MAX_FOLLOWED = 100_000
_MAX_PUBLISHED = 50_000
_ACTIVITY = {Availability.BUSY: BUSY, Availability.AWAY: AWAY}
_SAYS = {BUSY: Availability.BUSY, AWAY: Availability.AWAY}


@dataclass(slots=True, eq=False)
class _Publication:
    """What a device said last, as long as it stands."""

    user: Address
    lapses: asyncio.TimerHandle


class PresenceIn:
    """What devices ask about presence. `presences` is messaging's; set when the access starts."""

    def __init__(self, room: SessionRoom, authenticator: Authenticator) -> None:
        self._room, self._authenticator = room, authenticator
        self.presences: Presences | None = None
        self._subscriptions: set[Subscription] = set()
        self._published: dict[str, _Publication] = {}  # by entity tag

    def close(self) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.end("deactivated")
        for publication in self._published.values():
            publication.lapses.cancel()
        self._published.clear()

    # -------------------------------------------------------------------------------------------- SUBSCRIBE

    def subscribed(self, request: Request) -> None:
        """A SUBSCRIBE to somebody's presence."""
        self._guarded(request, self._subscribe)

    def _subscribe(self, request: Request) -> None:
        presences, room = self.presences, self._room
        if presences is None or len(self._subscriptions) >= _MAX_FOLLOWED:
            raise Refusal(503, "", ("Retry-After", "60"))
        originator = self._authenticator.originator(request)
        if originator is None:
            return
        target, expires = room.home.address(request.message.uri), life(request.message)
        dialog = room.dialog(request)
        subscription = Subscription(room.endpoint, dialog, EVENT, room.contact, self._subscriptions.discard)
        seen = _Seen(room, target, subscription)
        seen.presence, stop = presences.follow(originator.address, target, seen.changed)
        self._subscriptions.add(subscription)
        subscription.begin(request, expires, seen.content, stop)

    # ---------------------------------------------------------------------------------------------- PUBLISH

    def published(self, requests: Sequence[Request]) -> None:
        """Handler of PUBLISH."""
        for request in requests:
            self._guarded(request, self._publish)

    def _publish(self, request: Request) -> None:
        message = request.message
        if package_of(message) != EVENT or self.presences is None:
            raise Refusal(489, "", ("Allow-Events", EVENT))
        originator = self._authenticator.originator(request)
        if originator is None:
            return
        target = self._room.home.address(message.uri)
        if target not in originator.subscriber.addresses:
            raise Refusal(403, "Only one's own presence can be published")
        expires, tag = life(message), message.get("sip-if-match").strip()
        if tag and not self._taken_back(tag, target):
            raise Refusal(412)
        if message.body:
            self._said(self.presences, message.get("content-type"), message.body, originator.address)
        elif not tag:
            raise Refusal(400, "A publication says something")
        fresh = self._room.around.ids.new() if expires else tag
        if expires:
            self._stands(fresh, originator.address, expires)
        elif not message.body:
            self.presences.published(originator.address, Availability.AVAILABLE, "")
        self._room.endpoint.answer(request, 200, fields=[("Expires", str(expires)), ("SIP-ETag", fresh)])

    def _said(self, presences: Presences, content_type: str, body: bytes, user: Address) -> None:
        """That a device is there is known from its registration; its word is about how its user is."""
        if mime.media_type(content_type) != CONTENT_TYPE:
            raise Refusal(415, "", ("Accept", CONTENT_TYPE))
        try:
            document = parse(body)
        except PidfError as error:
            raise Refusal(400, f"Bad presence document: {error}") from None
        activity = document.activity if document.open is not False else ""
        presences.published(user, _SAYS.get(activity, Availability.AVAILABLE), document.note)

    def _stands(self, tag: str, user: Address, expires: int) -> None:
        if len(self._published) >= _MAX_PUBLISHED:
            raise Refusal(503, "", ("Retry-After", "60"))
        lapses = asyncio.get_running_loop().call_later(expires, self._lapsed, tag)
        self._published[tag] = _Publication(user, lapses)

    def _taken_back(self, tag: str, user: Address) -> bool:
        """A publication is replaced or ended; whether there was one of this name (RFC 3903 §6)."""
        found = self._published.get(tag)
        if found is None or found.user != user:
            return False
        found.lapses.cancel()
        del self._published[tag]
        return True

    def _lapsed(self, tag: str) -> None:
        """The device did not say it again: nothing is said (RFC 3903 §4.1)."""
        found = self._published.pop(tag, None)
        if found is not None and self.presences is not None:
            self.presences.published(found.user, Availability.AVAILABLE, "")

    def _guarded(self, request: Request, serve: Callable[[Request], None]) -> None:
        endpoint = self._room.endpoint
        try:
            serve(request)
        except Refusal as refusal:
            endpoint.refuse(request, refusal)
        except SipError as error:
            endpoint.refuse(request, Refusal(error.status, str(error)))
        except SendError as error:
            fields = refusal_fields(error, self._room.home.domain)
            endpoint.answer(request, status_of(error), fields=fields)


class _Seen:
    """What one subscription shows."""

    def __init__(self, room: SessionRoom, target: Address, subscription: Subscription) -> None:
        self._room, self._target, self._subscription = room, target, subscription
        self.presence: Presence

    def changed(self, presence: Presence) -> None:
        if presence != self.presence:
            self.presence = presence
            self._subscription.changed()

    def content(self) -> tuple[str, bytes]:
        """A document; nothing where nothing is known (a telephone number)."""
        availability = self.presence.availability
        if availability is Availability.UNKNOWN:
            return "", b""
        document = Pidf(
            self._room.home.uri(self._target),
            availability is not Availability.OFFLINE,
            _ACTIVITY.get(availability, ""),
            self.presence.note,
            rfc3339(self.presence.since) if self.presence.since else "",
        )
        return CONTENT_TYPE, build(document)
