"""The parts of the running SIP access, put together: what sessions are built on."""

from __future__ import annotations

from typing import Protocol

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.auth import Authenticator
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.capabilities import Capabilities
from opencpm.access.sip.endpoint import Endpoint
from opencpm.access.sip.file_refs import FileRefs
from opencpm.access.sip.lanes import Lanes
from opencpm.access.sip.location import Location
from opencpm.access.sip.media_out import MediaOut
from opencpm.access.sip.pager import PagerIn
from opencpm.access.sip.registrar import Registrar
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.session import SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.transport.flow import Flow, Limits
from opencpm.transport.listeners import Listeners


class SessionPart(Protocol):
    """The INVITE side of the access, built on the same endpoint."""

    async def start(self, inbox: Inbox) -> None:
        """Listen for media; the method handlers are on the endpoint already."""

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg: ...

    async def stop(self) -> None:
        """Close every session and listener."""


class Core:
    """Everything that lives while the access runs; what sessions are built on.

    Made inside the event loop. For sessions: `endpoint` (method handlers and dialogs), `authenticator.originator(
    request)` (who sends it; None once it has been answered), `registrar.resolve(uri)` (whom a request-URI names) and
    `registrar.devices(user, "session")` (where to fork to; each has `contact`, `flow`, `path`), `home` (addresses to
    URIs and back), `pager.neutral` (a MESSAGE as a neutral message), `media` (content in other forms than a MESSAGE),
    `refs` (files in what devices send).
    """

    def __init__(self, settings: SipSettings, context: Context) -> None:
        self.settings, self.context = settings, context
        key = _durable_key(context)
        self.home = Home(settings.domain.lower(), _hosts(settings), settings.service_user)
        host = _own_host(settings)
        self.endpoint = Endpoint(via_host=host, new_token=context.ids.new)
        self.location = Location(context.store, key)
        self.authenticator = Authenticator(settings, context, self.endpoint, self.home, self.location, key)
        self.registrar = Registrar(settings, context, self.endpoint, self.home, self.location, self.authenticator)
        self.pager = PagerIn(
            settings, context, self.endpoint, self.home, self.location, self.registrar, self.authenticator
        )
        self.refs = FileRefs(context.files, context.directory)
        self.pager.resolve = self.refs.resolve
        self.media = MediaOut(settings, context, self.endpoint, self.home)
        self.lanes = Lanes(settings, context, self.endpoint, self.home, self.registrar)
        limits = Limits(
            message=max(1 << 20, settings.max_message * 2),
            connections=settings.max_connections,
            idle=settings.idle,
        )
        self.listeners = Listeners(self.endpoint.received, self.endpoint.lost, limits)
        self.lanes.carry = self.media.take
        self.pager.aimed = self.lanes.aim
        self._hang_on()

    def _hang_on(self) -> None:
        capabilities = Capabilities(self.context, self.endpoint, self.home, self.registrar, self.authenticator)
        endpoint = self.endpoint
        endpoint.on("REGISTER", self.registrar.registered)
        endpoint.on("MESSAGE", self.pager.served)
        endpoint.on("OPTIONS", capabilities.asked)
        endpoint.on("SUBSCRIBE", capabilities.no_events)
        endpoint.on("PUBLISH", capabilities.no_events)
        endpoint.on("NOTIFY", capabilities.no_subscription)
        endpoint.on_lost(self.registrar.lost)
        self.registrar.moved = self.lanes.moved
        endpoint.find_flow = self._find_flow

    def _find_flow(self, uri: str) -> Flow | None:
        """The way to a device now, by its contact or GRUU."""
        for binding in self.location:
            if binding.contact == uri and binding.flow is not None and binding.flow.open:
                return binding.flow
        try:
            found = self.registrar.resolve(uri)
        except ValueError:
            return None
        devices = found[1] if found is not None else []
        return next((b.flow for b in devices if b.flow is not None and b.flow.open), None)

    def flow_of(self, binding: Binding) -> Flow | None:
        """The flow of a binding from before a restart: over UDP it can be had again."""
        if binding.transport != "UDP":
            return None
        return self.listeners.udp_flow(binding.peer, binding.local_port)


def _own_host(settings: SipSettings) -> str:
    """What Via and Contact name: never a wildcard; an IPv6 address in brackets."""
    host = settings.host or settings.listen[0].host
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not listened on
        return settings.domain
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _hosts(settings: SipSettings) -> frozenset[str]:
    """Every host that means our domain."""
    names = {settings.domain, settings.host, *settings.aliases, *(one.host for one in settings.listen)}
    names |= {f"[{name}]" for name in names if ":" in name}
    return frozenset(name.lower() for name in names if name)


def _durable_key(context: Context) -> bytes:
    """The key of nonces and temporary GRUUs: made once, kept, so that a restart changes neither."""
    found = context.store.get_state("sip", "key")
    if found is None:
        found = (context.ids.new() + context.ids.new()).encode()
        context.store.put_state("sip", "key", found)
    return found
