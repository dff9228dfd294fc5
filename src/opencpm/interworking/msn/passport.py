"""Does the HTTP requests of a Passport login."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import h11

from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp.passport import PassportLogin, Refusal, Request, Ticket

_MAX_REQUESTS = 6
_MAX_RESPONSE = 65536  # octets read; the headers are all that matters


def tls_context(settings: MsnSettings) -> ssl.SSLContext:
    """What nexus and login are checked with. Raises OSError or ssl.SSLError for a bad file."""
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    if not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def fetch(login: PassportLogin, context: ssl.SSLContext, patience: float) -> Ticket | Refusal:
    """Go through a login; `patience` in seconds for each request. Trouble of the network is a refusal to retry."""
    try:
        for _ in range(_MAX_REQUESTS):
            async with asyncio.timeout(patience):
                login.response(*await _get(login.request(), context))
            if login.result is not None:
                return login.result
    except TimeoutError:
        return Refusal(False, "the login server did not answer in time")
    except (OSError, h11.RemoteProtocolError, ValueError) as error:
        return Refusal(False, f"the login server cannot be used: {error}")
    return Refusal(False, "the login did not come to an end")


async def _get(request: Request, context: ssl.SSLContext) -> tuple[int, dict[str, str]]:
    url = urlsplit(request.url)
    if not url.hostname:
        raise ValueError("the address names no host")
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=context if secure else None)
    try:
        return await _exchange(reader, writer, request, url.netloc.rpartition("@")[2])
    finally:
        writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, host: str
) -> tuple[int, dict[str, str]]:
    connection = h11.Connection(h11.CLIENT)
    url = urlsplit(request.url)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = [("Host", host), ("User-Agent", "OpenCPM"), ("Connection", "close"), *request.headers.items()]
    writer.write(connection.send(h11.Request(method="GET", target=target, headers=headers)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    taken = 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code, {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        if event is h11.NEED_DATA:
            data = await reader.read(4096)
            taken += len(data)
            if taken > _MAX_RESPONSE:
                raise ValueError("the answer is too long")
            connection.receive_data(data)
        elif not isinstance(event, h11.InformationalResponse):
            raise ValueError("the answer is not HTTP")
