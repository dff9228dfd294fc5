"""The SIP access as a connector: builds its parts, listens, and passes batches between devices and the inbox."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opencpm.access.sip.composing import send_typing
from opencpm.access.sip.core import Core, SessionPart
from opencpm.access.sip.door import Door
from opencpm.access.sip.session import build_sessions
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import WHOLE, Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents

log = logging.getLogger("opencpm.access.sip")

SWEEP = 1.0
"""Seconds between looks at what has expired."""

PROFILE = Profile(
    label="CPM devices (SIP)",
    kind="cpm",
    schemes=frozenset({"sip", "tel"}),
    access=True,
    content_types=("*/*",),
    reports=frozenset({Status.DELIVERED, Status.DISPLAYED, Status.FAILED}),
    sessions=True,
    typing=True,
    subject=True,
)


class SipConnector:
    """Implements `interfaces.Connector` and `interfaces.Listening`."""

    def __init__(
        self,
        settings: SipSettings,
        context: Context,
        name: str = "sip",
        build_sessions: Callable[[Core], SessionPart] | None = None,
    ) -> None:
        self.name, self.profile = name, PROFILE
        self._build_sessions = build_sessions
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.started = asyncio.Event()
        """Set while the listeners stand."""
        self._settings, self._context = settings, context
        self._core: Core | None = None
        self._inbox: Inbox | None = None
        self._sessions: SessionPart | None = None
        self._since = context.clock.now()

    @property
    def core(self) -> Core:
        """The running parts, for sessions and tests."""
        assert self._core is not None, "not running"
        return self._core

    async def run(self, inbox: Inbox) -> None:
        """Listen until cancelled. Raises OSError when an address cannot be listened on."""
        core = self._core = Core(self._settings, self._context)
        self._inbox = core.pager.inbox = inbox
        core.lanes.settled = inbox.settled
        door = Door(inbox, core.home)
        core.endpoint.on_refused, core.authenticator.on_wrong = door.refused, door.wrong
        core.registrar.changed = lambda user, reach: inbox.reach_changed(self.name, user, reach)
        try:
            if self._build_sessions is not None:
                self._sessions = self._build_sessions(core)
                await self._sessions.start(inbox)
            await self._listen(core)
            core.location.load(self._context.clock.now(), core.flow_of)
            self._since = self._context.clock.now()
            self.started.set()
            inbox.health_changed(self.name, self.health())
            core.registrar.announce()
            while True:
                await asyncio.sleep(SWEEP)
                core.registrar.sweep()
                core.lanes.sweep()
        finally:
            await self._stop(core)

    async def _listen(self, core: Core) -> None:
        tls = _tls(self._settings)
        for one in self._settings.listen:
            kind = one.transport.upper()
            context = tls if kind in ("TLS", "WSS") else None
            address = await core.listeners.listen(kind, one.host, one.port, context)
            self.endpoints.setdefault(one.transport, address)
            log.info("SIP over %s on %s:%d", kind, *address)

    async def _stop(self, core: Core) -> None:
        self.started.clear()
        core.media.close()
        if self._sessions is not None:
            await self._sessions.stop()
        core.lanes.fail_all(SendError(Reason.NETWORK_DOWN, retryable=True, detail="The server is stopping."))
        core.endpoint.close()
        core.listeners.close()
        self._core, self._sessions = None, None

    # interfaces.Connector

    def send(self, deliveries: Sequence[Delivery]) -> None:
        if self._core is None or not self.started.is_set():
            self._refuse(deliveries)
        else:
            self._core.lanes.send(deliveries)

    def _refuse(self, deliveries: Sequence[Delivery]) -> None:
        error = SendError(Reason.NETWORK_DOWN, retryable=True, detail="The SIP access is not running.")
        now, inbox = self._context.clock.now(), self._inbox
        if inbox is not None:
            inbox.settled(
                [
                    Outcome(
                        delivery_id=delivery.id,
                        token=delivery.token,
                        kind=OutcomeKind.FAILED,
                        at=now,
                        source="this server",
                        error=error,
                    )
                    for delivery in deliveries
                ]
            )

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        if self._sessions is None:
            raise SendError(Reason.NETWORK_DOWN, retryable=True, detail="Sessions over SIP are not running.")
        return await self._sessions.open(offer, events)

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        owner = self._context.directory.owner_of(target)
        if owner is not None and self._core is not None:
            core = self._core
            send_typing(core.endpoint, core.registrar, core.home, owner, source, target, composing)

    def reach(self, owner: str, target: Address) -> Reach:
        if self._core is None:
            return Reach(Availability.OFFLINE, frozenset(), "the SIP access is not running")
        return self._core.registrar.reach(owner)

    def fit(self, message: Message) -> Fit:
        if message.size > self._settings.max_content:
            return Fit(1, (), SendError(Reason.TOO_LARGE, detail="It is too large for the receiver's device."))
        return WHOLE

    def health(self) -> Health:
        if self._core is None or not self.started.is_set():
            return Health(HealthState.DOWN, "not listening", self._since)
        places = ", ".join(f"{kind} {host}:{port}" for kind, (host, port) in self.endpoints.items())
        return Health(HealthState.UP, f"listening on {places}", self._since, len(self._core.lanes))

    def describe(self) -> Mapping[str, Any]:
        if self._core is None:
            return {"listening": {}}
        core, now = self._core, self._context.clock.now()
        counters = core.endpoint.counters
        return {
            "listening": {kind: f"{host}:{port}" for kind, (host, port) in self.endpoints.items()},
            "connections": core.listeners.connections,
            "dialogs": core.endpoint.dialogs,
            "requests": dict(counters.by_method),
            "malformed": counters.malformed,
            "refused": counters.refused,
            "devices": [
                {
                    "user": binding.user,
                    "contact": binding.contact,
                    "transport": binding.transport,
                    "agent": binding.user_agent,
                    "services": sorted(binding.services),
                    "connected": binding.connected(now),
                    "expires_in": round(binding.expires_at - now),
                }
                for binding in core.location
            ],
        }


def _tls(settings: SipSettings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(settings.certificate, settings.private_key)
    return tls


def build(settings: Mapping[str, Any], context: Context) -> SipConnector:
    """The entry point. Raises ValueError (pydantic's) with a sentence that says what to mend."""
    return SipConnector(SipSettings.model_validate(settings), context, context.name or "sip", build_sessions)
