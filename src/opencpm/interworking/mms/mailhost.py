"""A mail host that may be lost: it is up until it is, then tried again in growing pauses until it is back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Literal

from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, Sent, SmtpSender


class MailHost:
    """``changed`` is called when ``up`` does."""

    def __init__(self, host: Host, retry_min: float, retry_max: float, changed: Callable[[], None]) -> None:
        self.up, self.detail = True, "not used yet"
        self._sender = SmtpSender(host)
        self._retry_min, self._retry_max = retry_min, retry_max
        self._changed = changed
        self._lost = asyncio.Event()

    async def send(
        self, mail_from: str, rcpt_to: str, data: bytes, *, notify: Sequence[str] = (), envid: str = ""
    ) -> Sent:
        """Hand a mail over. Raises MailRefused, HostLost."""
        try:
            sent = await self._sender.send(mail_from, rcpt_to, data, notify=notify, envid=envid)
        except MailRefused as error:
            if error.stage == "connect":
                self._set(False, f"refused: {error}")
            raise
        except HostLost as error:
            self._set(False, f"lost: {error}")
            raise
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
        pause = self._retry_min
        while not self.up:
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._retry_max)
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


def tls_context(mode: Literal["no", "starttls", "tls"], ca_file: str = "") -> ssl.SSLContext | None:
    """Checks certificates by the system's authorities, or by those in a file. Raises ValueError: it cannot be read."""
    try:
        return None if mode == "no" else ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ValueError(f"{ca_file}: {error.strerror or error}") from None


def server_contexts(
    mode: Literal["no", "starttls", "tls"], certificate: str, key: str
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """For a listener: TLS from the first octet, and TLS that is offered. Raises OSError: a file cannot be read."""
    if mode == "no":
        return None, None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return (context, None) if mode == "tls" else (None, context)
