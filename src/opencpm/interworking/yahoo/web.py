"""The login host of versions 15 and 16 over HTTP: two requests, pooled, bounded in size and time."""

from __future__ import annotations

import logging
import ssl

import httpx

from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.protocols.ymsg import weblogin
from opencpm.protocols.ymsg.errors import Kind, Trouble
from opencpm.protocols.ymsg.weblogin import MAX_ANSWER, LoginRefused, WebProof

_CONNECTIONS = 64


def tls_context(settings: YahooSettings) -> ssl.SSLContext:
    """What the login host is checked with. Raises OSError or ssl.SSLError for a bad file."""
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    if not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Web:
    """One for all accounts of a network. No address is ever named in a log or an error: they carry the password."""

    def __init__(self, settings: YahooSettings, tls: ssl.SSLContext) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write every address it asks
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=8, keepalive_expiry=5)
        patience = settings.step_timeout
        self._settings = settings
        self._client = httpx.AsyncClient(
            verify=tls,
            limits=limits,
            timeout=httpx.Timeout(patience, connect=min(settings.connect_timeout, patience)),
            trust_env=False,
            headers={"User-Agent": "OpenCPM"},
        )

    async def prove(self, user: str, password: str, challenge: str) -> WebProof:
        """The proof that the server wants to see. Raises LoginRefused."""
        try:
            text, _ = await self._get(weblogin.token_request(user, password, challenge))
            text, cookies = await self._get(weblogin.login_request(weblogin.read_token(text)))
            return weblogin.read_proof(text, cookies, whole=self._settings.whole_cookies)
        except httpx.TimeoutException:
            raise _no_answer("it did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _no_answer(type(error).__name__) from None

    async def _get(self, path: str) -> tuple[str, list[str]]:
        found = bytearray()
        async with self._client.stream("GET", self._settings.login_url + path) as answer:
            if answer.status_code != 200:
                raise _no_answer(f"status {answer.status_code}")
            async for piece in answer.aiter_bytes():
                found += piece
                if len(found) > MAX_ANSWER:
                    raise _no_answer("its answer is too long")
            return found.decode("utf-8", "replace"), answer.headers.get_list("set-cookie")

    async def close(self) -> None:
        await self._client.aclose()


def _no_answer(why: str) -> LoginRefused:
    return LoginRefused(Trouble(Kind.TEMPORARY, 0, f"the login host cannot be used: {why}"))
