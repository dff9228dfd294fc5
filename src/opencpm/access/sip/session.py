"""Sessions of devices, put together: INVITE in and out, MSRP, and what they share."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.core import Core
from opencpm.access.sip.endpoint import Request
from opencpm.access.sip.groups import GroupsIn
from opencpm.access.sip.presence import PresenceIn
from opencpm.access.sip.session_in import InvitationsIn
from opencpm.access.sip.session_large import StandaloneOut
from opencpm.access.sip.session_leg import SessionRoom
from opencpm.access.sip.session_media import Surroundings
from opencpm.access.sip.session_out import Fork
from opencpm.access.sip.session_settings import SessionSettings
from opencpm.access.sip.subscription import Events
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.session import CloseReason, SessionOffer
from opencpm.interfaces import Inbox, Leg, LegEvents
from opencpm.protocols.msrp.session import Limits
from opencpm.transport.msrp import MsrpHub

__all__ = ["Sessions", "build_sessions"]


class Sessions:
    """Implements `core.SessionPart`."""

    def __init__(self, core: Core, settings: SessionSettings) -> None:
        self._core, context = core, core.context
        server_tls, client_tls = _contexts(core.settings.certificate, core.settings.private_key, settings)
        self._hub = MsrpHub(
            host=settings.msrp_host,
            port=settings.msrp_port,
            tls_port=settings.msrps_port,
            server_tls=server_tls,
            client_tls=client_tls,
            address=settings.msrp_address,
        )
        around = Surroundings(self._hub, context.clock, context.ids, Limits(max_size=settings.max_message))
        name, fingerprint = context.name or "sip", _fingerprint(core.settings.certificate) if server_tls else ""
        self._room = SessionRoom(core.endpoint, core.home, settings, around, name, fingerprint, core.refs.resolve)
        self._incoming = InvitationsIn(self._room, core.authenticator, core.registrar, context.directory)
        self._incoming.max_file = core.settings.max_content
        self._groups = GroupsIn(self._room, core.authenticator, core.settings.max_recipients)
        self._incoming.groups = self._groups
        self._standalone = StandaloneOut(self._room, context)
        core.media.large, core.media.file = self._standalone.large, self._standalone.file
        core.media.room = lambda: len(self._room.legs) < settings.max_sessions
        core.endpoint.on("INVITE", self._incoming.served)
        core.endpoint.on("BYE", self._outside)
        core.endpoint.on("UPDATE", self._outside)
        self._presence = PresenceIn(self._room, core.authenticator)
        events = Events(core.endpoint)
        events.serve("conference", self._groups.subscribed)
        events.serve("presence", self._presence.subscribed)
        core.endpoint.on("SUBSCRIBE", events.subscribed)
        core.endpoint.on("PUBLISH", self._presence.published)
        core.endpoint.on("REFER", self._groups.referred)
        core.endpoint.on_lost(self._incoming.lost)

    def _outside(self, requests: Sequence[Request]) -> None:
        """Requests that only have a meaning inside a dialog (RFC 3261 §12.2.2)."""
        for request in requests:
            self._room.endpoint.answer(request, 481)

    @property
    def endpoints(self) -> Mapping[str, tuple[str, int]]:
        """Where MSRP is listened for: `msrp`, `msrps`."""
        return self._hub.endpoints

    @property
    def standing(self) -> int:
        """Legs of devices that stand."""
        return len(self._room.legs)

    async def start(self, inbox: Inbox) -> None:
        """Listen for MSRP and serve INVITE. Raises OSError."""
        await self._hub.start()
        self._incoming.inbox = self._standalone.inbox = inbox
        self._groups.groups, self._presence.presences = inbox.groups, inbox.presences

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        """See `interfaces.Connector.open`."""
        directory, registrar = self._core.context.directory, self._core.registrar
        owner = directory.owner_of(offer.target)
        if owner is None:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{offer.target} is nobody here")
        devices = [binding for binding in registrar.devices(owner.id, "session") if _invitable(binding)]
        if offer.device:
            devices = [binding for binding in devices if binding.instance == offer.device]
        if not devices:
            raise SendError(Reason.OFFLINE, retryable=True, detail="no device that takes sessions is registered now")
        return await Fork(self._room, offer, events, directory.owner_of(offer.initiator)).ask(devices)

    async def stop(self) -> None:
        """BYE to every device, then close the listeners."""
        self._incoming.close()
        self._groups.close()
        self._presence.close()
        legs = list(self._room.legs)
        if legs:
            closing = [asyncio.ensure_future(leg.close(CloseReason.SHUTDOWN, "the server is stopping")) for leg in legs]
            _, late = await asyncio.wait(closing, timeout=self._room.settings.linger + 1.0)
            for task in late:
                task.cancel()
        await self._hub.close()


def build_sessions(core: Core) -> Sessions:
    """The sessions of a running SIP access. Raises pydantic's ValidationError for wrong settings."""
    return Sessions(core, SessionSettings.model_validate(core.settings.sessions))


def _invitable(binding: Binding) -> bool:
    """Devices that list methods and not INVITE need not be asked."""
    return binding.flow is not None and (not binding.allow or "INVITE" in binding.allow)


def _fingerprint(certificate: str) -> str:
    """Of the first certificate in a file, as SDP writes it (RFC 8122 §5)."""
    first = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    return f"sha-256 {first.fingerprint(hashes.SHA256()).hex(':').upper()}"


def _contexts(
    certificate: str, key: str, settings: SessionSettings
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """TLS for those who connect to us (if there is a certificate), and for those we connect to."""
    client = ssl.create_default_context()
    if not settings.verify_msrps:
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
    if not certificate or settings.msrps_port is None:
        return None, client
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_2
    server.load_cert_chain(certificate, key)
    return server, client
