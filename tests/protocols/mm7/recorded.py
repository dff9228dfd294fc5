"""The recorded exchanges: HTTP heads and bodies of both directions."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mms"
NAMES = sorted(path.name for path in FIXTURES.glob("mm7-*.http"))


class Http(NamedTuple):
    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


def exchange(name: str) -> tuple[Http, Http]:
    octets = (FIXTURES / name).read_bytes()
    request, _, response = octets.partition(b">>>\n")[2].partition(b"<<<\n")
    return _http(request), _http(response)


def _http(octets: bytes) -> Http:
    head, _, body = octets.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Http(start, headers, body[: int(headers["content-length"])])
