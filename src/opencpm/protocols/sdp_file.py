"""File attributes of SDP (RFC 5547): what is offered, and from where on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from .sdp import SdpError

__all__ = ["FileSelector", "attributes", "build_selector", "parse_range", "parse_selector", "selector_of"]

_PAIR = re.compile(r'\s*(name|type|size|hash):("[^"\r\n]{0,1024}"|[^\s"]{1,512})', re.IGNORECASE | re.ASCII)
_TYPE = re.compile(r"[!#-'*+.0-9A-Z^_`a-z|~-]{1,64}/[!#-'*+.0-9A-Z^_`a-z|~-]{1,96}(;[ -~]{0,120})?\Z")
_HASHES: Final = {"sha-1": hashlib.sha1, "sha-256": hashlib.sha256}


class FileSelector(NamedTuple):
    """What is known of a file (§6). `hash` in lower-case hex without colons."""

    name: str = ""
    content_type: str = "application/octet-stream"
    size: int | None = None
    algorithm: str = ""
    hash: str = ""

    def fits(self, body: bytes) -> bool:
        """Whether these are the bytes that were announced; an algorithm we do not know proves nothing."""
        if self.size is not None and len(body) != self.size:
            return False
        maker = _HASHES.get(self.algorithm)
        return maker is None or maker(body, usedforsecurity=False).hexdigest() == self.hash


def parse_selector(value: str) -> FileSelector:
    """Read a `file-selector`. Raises SdpError."""
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _PAIR.match(value, position)
        if match is None:
            if value[position:].strip():
                raise SdpError("bad file-selector", 305)
            break
        found.setdefault(match[1].lower(), match[2].strip('"'))
        position = match.end()
    algorithm, _, digest = found.get("hash", "").partition(":")
    content_type = found.get("type", "application/octet-stream")
    if not _TYPE.match(content_type):
        raise SdpError("bad type in file-selector", 305)
    name = unquote(found.get("name", ""), errors="replace")
    return FileSelector(name, content_type, _size(found.get("size")), algorithm.lower(), _hex(digest))


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise SdpError("bad size in file-selector", 305)
    return int(text)


def _hex(digest: str) -> str:
    return digest.replace(":", "").lower()


def build_selector(selector: FileSelector) -> str:
    """Write a `file-selector`."""
    parts = [f'name:"{quote(selector.name, safe=_SAFE)}"'] if selector.name else []
    parts.append(f"type:{selector.content_type.partition(';')[0].strip()}")
    if selector.size is not None:
        parts.append(f"size:{selector.size}")
    if selector.hash:
        digest = selector.hash.upper()
        pairs = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        parts.append(f"hash:{selector.algorithm}:{pairs}")
    return " ".join(parts)


_SAFE = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"


def selector_of(name: str, content_type: str, body: bytes) -> FileSelector:
    """What to announce of a file that is here (§6: sha-1, which every peer knows)."""
    digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    return FileSelector(name, content_type, len(body), "sha-1", digest)


def parse_range(value: str) -> int:
    """The first byte wanted, counted from 1, of a `file-range` (§6: `start-stop`, where stop may be `*`).
    Raises SdpError."""
    start, dash, stop = value.strip().partition("-")
    good = dash and start.isascii() and start.isdigit() and len(start) < 16 and int(start) > 0
    if not good or not (stop == "*" or (stop.isascii() and stop.isdigit() and len(stop) < 16)):
        raise SdpError("bad file-range", 305)
    return int(start)


def attributes(
    selector: FileSelector, transfer_id: str, *, disposition: str = "attachment", icon: str = ""
) -> Sequence[tuple[str, str]]:
    """The attributes of an offer (§8.1). `icon`: the Content-ID of the small picture that goes with it."""
    pairs = [
        ("file-selector", build_selector(selector)),
        ("file-transfer-id", transfer_id),
        ("file-disposition", disposition),
    ]
    return [*pairs, ("file-icon", f"cid:{icon}")] if icon else pairs
