"""POST to one peer over HTTP(S): pooled connections, credentials, bounded answers, and a clear word on what went."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Literal, NamedTuple

import httpx

MAX_ANSWER = 1 << 20


class NotSent(Exception):
    """The peer cannot have the request: no connection, or it broke before the whole of it was written."""


class Unanswered(Exception):
    """The request was written and no answer came: whether the peer acted on it is not known."""


class Reply(NamedTuple):
    status: int
    content_type: str
    body: bytes
    retry_after: float = 0.0


class Tls(NamedTuple):
    """PEM files; "" for the system's authorities, and for no certificate of ours."""

    authorities: str = ""
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """:raises OSError: a file cannot be read or is no certificate."""
        context = ssl.create_default_context(cafile=self.authorities or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context


class Poster:
    """Posts to one URL; ``async with`` or :meth:`close` ends its connections. Redirects are not followed, and the
    environment's proxies and passwords are not read."""

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: str = "",
        scheme: Literal["basic", "digest"] = "basic",
        tls: Tls | None = None,
        connections: int = 4,
        connect_timeout: float = 10.0,
        answer_timeout: float = 60.0,
    ) -> None:
        auth: httpx.Auth | None = None
        if username:
            auth = (httpx.DigestAuth if scheme == "digest" else httpx.BasicAuth)(username, password)
        self.url = url
        self._client = httpx.AsyncClient(
            auth=auth,
            verify=(tls or Tls()).context() if url.startswith("https:") else False,  # authorities take a while to read
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=5),
            timeout=httpx.Timeout(answer_timeout, connect=connect_timeout, pool=answer_timeout),
            trust_env=False,
            follow_redirects=False,
        )

    async def post(self, content_type: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """The peer's answer, whatever its status. Raises NotSent, Unanswered."""
        try:
            return await self._post({"Content-Type": content_type, **(headers or {})}, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"cannot connect to {self.url}: {_why(error)}") from error
        except (httpx.WriteError, httpx.WriteTimeout) as error:
            raise NotSent(f"the connection to {self.url} broke: {_why(error)}") from error
        except httpx.TimeoutException as error:
            raise Unanswered(f"{self.url} did not answer in time") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unanswered(f"{self.url} answered nothing that can be read: {_why(error)}") from error

    async def _post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        async with self._client.stream("POST", self.url, content=body, headers=headers) as answer:
            chunks: list[bytes] = []
            size = 0
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > MAX_ANSWER:
                    raise httpx.RemoteProtocolError(f"an answer over {MAX_ANSWER} octets")
                chunks.append(chunk)
            after = answer.headers.get("retry-after", "")
            wait = min(float(after), 3600.0) if after.isdecimal() else 0.0
            return Reply(answer.status_code, answer.headers.get("content-type", ""), b"".join(chunks), wait)

    async def close(self) -> None:
        await self._client.aclose()


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
