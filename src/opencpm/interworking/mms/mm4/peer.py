"""One peer: its mail host, and how it is recognised."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.domain.address import Address
from opencpm.interworking.mms.mailhost import MailHost, tls_context
from opencpm.transport.smtp_listener import networks, within
from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, Sent

from . import reasons
from .compose import Outgoing
from .settings import Mm4Settings, PeerSettings


class Peer:
    def __init__(self, settings: PeerSettings, ours: Mm4Settings, changed: Callable[[], None]) -> None:
        self.name, self.settings = settings.name, settings
        self._system = ours.system_address
        self._addresses = networks(settings.addresses)
        self._host = MailHost(_host(settings, ours.domain), ours.retry_min, ours.retry_max, changed)
        self.run = self._host.run

    @property
    def up(self) -> bool:
        return self._host.up

    @property
    def detail(self) -> str:
        return self._host.detail

    def knows(self, address: str) -> bool:
        """Whether mail from this IP address may be its."""
        return within(address, self._addresses)

    def serves(self, address: Address) -> int:
        """How much of a number its prefixes name; -1: it does not serve it."""
        prefixes = self.settings.prefixes
        if not prefixes:
            return 0
        return max((len(prefix) for prefix in prefixes if address.value.startswith(prefix)), default=-1)

    async def send(self, outgoing: Outgoing) -> Sent:
        """Hand a mail to its host. Raises SendError."""
        try:
            return await self._host.send(self._system, outgoing.recipient, outgoing.data)
        except MailRefused as error:
            raise reasons.mail_refused(error) from None
        except HostLost as error:
            raise reasons.host_lost(error) from None


def _host(settings: PeerSettings, ehlo: str) -> Host:
    return Host(
        host=settings.host,
        port=settings.port,
        tls=settings.tls,
        username=settings.username,
        password=settings.password,
        ehlo=ehlo,
        connections=settings.connections,
        context=tls_context(settings.tls, settings.ca_file),
    )
