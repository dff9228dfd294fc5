"""One peer: its mail host, whether it can be reached, and how it is recognised."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from opencpm.domain.address import Address
from opencpm.transport.smtp_listener import networks, within
from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, Sent, SmtpSender

from . import reasons
from .compose import Outgoing
from .settings import Mm4Settings, PeerSettings


class Peer:
    """``up`` until its host is lost; then it is tried again, in growing pauses, until it is there."""

    def __init__(self, settings: PeerSettings, ours: Mm4Settings, changed: Callable[[], None]) -> None:
        self.name, self.settings = settings.name, settings
        self.up, self.detail = True, "not used yet"
        self._ours, self._changed = ours, changed
        self._addresses = networks(settings.addresses)
        self._sender = SmtpSender(_host(settings, ours.domain))
        self._lost = asyncio.Event()

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
            sent = await self._sender.send(self._ours.system_address, outgoing.recipient, outgoing.data)
        except MailRefused as error:
            if error.stage == "connect":
                self._set(False, f"refused: {error}")
            raise reasons.mail_refused(error) from None
        except HostLost as error:
            self._set(False, f"lost: {error}")
            raise reasons.host_lost(error) from None
        self._set(True, sent.reply)
        return sent

    async def run(self) -> None:
        """Look after a lost host, until cancelled."""
        try:
            while True:
                await self._lost.wait()
                await self._return()
        finally:
            await self._sender.close()

    async def _return(self) -> None:
        pause = self._ours.retry_min
        while not self.up:
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._ours.retry_max)
            try:
                await self._sender.check()
            except (HostLost, MailRefused) as error:
                self.detail = str(error)
            else:
                self._set(True, "back")

    def _set(self, up: bool, detail: str) -> None:
        before, self.up, self.detail = self.up, up, detail
        if up:
            self._lost.clear()
        else:
            self._lost.set()
        if before is not up:
            self._changed()


def _host(settings: PeerSettings, ehlo: str) -> Host:
    secure = settings.tls != "no"
    return Host(
        host=settings.host,
        port=settings.port,
        tls=settings.tls,
        username=settings.username,
        password=settings.password,
        ehlo=ehlo,
        connections=settings.connections,
        context=ssl.create_default_context(cafile=settings.ca_file or None) if secure else None,
    )
