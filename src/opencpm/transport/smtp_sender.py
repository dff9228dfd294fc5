"""Mail out: aiosmtplib towards one host, over a few connections that are kept for the next mail."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

import aiosmtplib

log = logging.getLogger("opencpm.smtp")


class Sent(NamedTuple):
    """The reply that took the mail over: "250 2.0.0 queued as 7"; ``dsn``: the host was asked for the reports
    wanted (RFC 3461)."""

    reply: str
    dsn: bool = False


class MailRefused(Exception):
    """The host said no: its code and text. 4xx may be tried again."""

    def __init__(self, code: int, text: str, stage: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text, self.stage = code, text, stage

    @property
    def retryable(self) -> bool:
        return 400 <= self.code < 500


class HostLost(Exception):
    """No connection, or it broke. ``doubtful``: the mail was under way, and may have arrived."""

    def __init__(self, text: str, doubtful: bool = False) -> None:
        super().__init__(text)
        self.doubtful = doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    host: str
    port: int = 25
    tls: Literal["no", "starttls", "tls"] = "no"
    username: str = ""
    password: str = ""
    ehlo: str = "localhost"  # our name
    connections: int = 4
    timeout: float = 30.0  # seconds for each reply
    context: ssl.SSLContext | None = None  # else the system's authorities are trusted


class SmtpSender:
    """One host. ``send`` may be called any number of times at once; connections bound what goes on together."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._idle: list[aiosmtplib.SMTP] = []
        self._room = asyncio.Semaphore(host.connections)

    async def send(
        self, mail_from: str, rcpt_to: str, data: bytes, *, notify: Sequence[str] = (), envid: str = ""
    ) -> Sent:
        """Hand over one mail to one recipient. ``notify``: which delivery reports are wanted, where the host can.

        :raises MailRefused: :raises HostLost:
        """
        async with self._room:
            client, fresh = await self._client()
            try:
                reply = await self._transaction(client, mail_from, rcpt_to, data, notify, envid)
            except HostLost as lost:
                client.close()
                if fresh or lost.doubtful:
                    raise
                client = await self._connected()  # an idle connection had ended meanwhile
                reply = await self._guarded(client, mail_from, rcpt_to, data, notify, envid)
            except MailRefused:
                await self._put_back(client)
                raise
            except BaseException:
                client.close()
                raise
            self._idle.append(client)
            return reply

    async def check(self) -> None:
        """Whether the host is there. :raises HostLost: :raises MailRefused:"""
        async with self._room:
            await self._put_back(await self._connected())

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    async def _client(self) -> tuple[aiosmtplib.SMTP, bool]:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client, False
        return await self._connected(), True

    async def _guarded(
        self, client: aiosmtplib.SMTP, mail_from: str, rcpt_to: str, data: bytes, notify: Sequence[str], envid: str
    ) -> Sent:
        try:
            return await self._transaction(client, mail_from, rcpt_to, data, notify, envid)
        except BaseException:
            client.close()
            raise

    async def _put_back(self, client: aiosmtplib.SMTP) -> None:
        """Into a state where the next mail can begin; else away with it."""
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.rset()
            self._idle.append(client)
            return
        client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        host = self.host
        client = aiosmtplib.SMTP(
            hostname=host.host,
            port=host.port,
            local_hostname=host.ehlo,
            timeout=host.timeout,
            use_tls=host.tls == "tls",
            start_tls=host.tls == "starttls",
            tls_context=host.context,
            username=host.username or None,
            password=host.password or None,
        )
        try:
            await client.connect()
            await _greet(client)
        except aiosmtplib.SMTPResponseException as error:
            client.close()
            raise MailRefused(error.code, _line(error.message), "connect") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise HostLost(_line(str(error)) or type(error).__name__) from None
        return client

    async def _transaction(
        self, client: aiosmtplib.SMTP, mail_from: str, rcpt_to: str, data: bytes, notify: Sequence[str], envid: str
    ) -> Sent:
        stage, under_way = "mail", False
        try:
            reports = bool(notify) and client.supports_extension("dsn")
            await client.mail(mail_from, options=self._mail_options(client, data, envid if reports else ""))
            stage = "rcpt"
            await client.rcpt(rcpt_to, options=[f"NOTIFY={','.join(notify)}"] if reports else None)
            stage, under_way = "data", True
            code, text = await client.data(data)
        except aiosmtplib.SMTPResponseException as error:
            raise MailRefused(error.code, _line(error.message), stage) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise HostLost(_line(str(error)) or type(error).__name__, under_way) from None
        return Sent(f"{code} {_line(text)}", reports)

    def _mail_options(self, client: aiosmtplib.SMTP, data: bytes, envid: str) -> list[str]:
        options = []
        if client.supports_extension("size"):
            options.append(f"SIZE={len(data)}")
        if client.supports_extension("8bitmime") and not data.isascii():
            options.append("BODY=8BITMIME")
        if envid:
            options += ["RET=HDRS", f"ENVID={envid}"]
        return options


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, and HELO to those who know nothing newer (RFC 5321 §4.1.4)."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()


def _line(text: str | bytes) -> str:
    """Of a reply, for people: one line, bounded."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return " ".join(text.split())[:200]
