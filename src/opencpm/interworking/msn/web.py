"""The HTTP requests beside the protocol: logins, tokens, address book, offline messages; pooled, bounded in size."""

from __future__ import annotations

import ssl
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp.soap import MAX_ANSWER, HttpReply, HttpRequest

MAX_REQUESTS = 6  # of one login
_CONNECTIONS = 64

Result_co = TypeVar("Result_co", covariant=True)


class Unreachable(Exception):
    """No answer that can be used came; ``str()`` says why, without secrets."""


class Dialogue(Protocol[Result_co]):
    """Requests and answers until there is a result (`PassportLogin`, `TokenLogin`)."""

    @property
    def result(self) -> Result_co | None: ...

    def request(self) -> HttpRequest: ...

    def response(self, reply: HttpReply) -> None: ...


def tls_context(settings: MsnSettings) -> ssl.SSLContext:
    """What servers are checked with. Raises OSError or ssl.SSLError for a bad file."""
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    if not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Web:
    """One for all accounts of a network. Redirections are the caller's affair: what is sent there is a secret."""

    def __init__(self, settings: MsnSettings, tls: ssl.SSLContext) -> None:
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=8, keepalive_expiry=5)
        patience = settings.step_timeout
        self._client = httpx.AsyncClient(
            verify=tls,
            limits=limits,
            timeout=httpx.Timeout(patience, connect=min(settings.connect_timeout, patience)),
            trust_env=False,
            headers={"User-Agent": "OpenCPM"},
        )

    async def call(self, request: HttpRequest) -> HttpReply:
        """The answer, whatever its status. Raises Unreachable."""
        try:
            _check(request.url)
            return await self._call(request)
        except httpx.TimeoutException as error:
            raise Unreachable("it did not answer in time") from error
        except httpx.InvalidURL as error:
            raise Unreachable("its address cannot be used") from error
        except (httpx.HTTPError, UnicodeError, ValueError) as error:
            raise Unreachable(str(error)[:120] or type(error).__name__) from error

    async def converse(self, dialogue: Dialogue[Result_co]) -> Result_co:
        """Go through a login. Raises Unreachable."""
        for _ in range(MAX_REQUESTS):
            dialogue.response(await self.call(dialogue.request()))
            if dialogue.result is not None:
                return dialogue.result
        raise Unreachable("the login did not come to an end")

    async def _call(self, request: HttpRequest) -> HttpReply:
        found: list[bytes] = []
        size = 0
        async with self._client.stream(
            request.method, request.url, headers=dict(request.headers), content=request.body or None
        ) as answer:
            async for piece in answer.aiter_bytes():
                size += len(piece)
                if size > MAX_ANSWER:
                    raise ValueError("its answer is too long")
                found.append(piece)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpReply(answer.status_code, headers, b"".join(found))

    async def close(self) -> None:
        await self._client.aclose()


def _check(url: str) -> None:
    """Services name addresses as well: raises ValueError for one without a host, or with a port that cannot be."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise ValueError("its address cannot be used")
