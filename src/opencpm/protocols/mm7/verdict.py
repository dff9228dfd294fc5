"""What an HTTP answer to an MM7 request comes to: by its SOAP body where there is one, else by its status."""

from __future__ import annotations

from typing import NamedTuple

from .errors import Mm7Error
from .message import decode
from .operations import Response
from .status import Meaning, http_meaning, meaning


class Verdict(NamedTuple):
    """``code``: the StatusCode or "HTTP 503"; ``said``: in words; ``source``: the operation that said so."""

    meaning: Meaning
    code: str
    said: str
    source: str
    message_id: str = ""
    retry_after: float = 0.0
    """Seconds, where the HTTP answer names them; for who reads its header."""


def verdict_of(status: int, content_type: str, body: bytes) -> Verdict | None:
    """None: success by HTTP, and nothing that says what became of the request."""
    response = _response(content_type, body)
    if response is not None and response.status.code:
        code, text, details = response.status
        said = f"{code} {text}" + (f" ({details[:120]})" if details else "")
        return Verdict(meaning(code), str(code), said, f"MM7 {response.operation}", response.message_id)
    if 200 <= status < 300:
        return None
    return Verdict(http_meaning(status), f"HTTP {status}", f"HTTP {status}", "HTTP")


def _response(content_type: str, body: bytes) -> Response | None:
    try:
        operation = decode(content_type, body).operation
    except Mm7Error:
        return None
    return operation if isinstance(operation, Response) else None
