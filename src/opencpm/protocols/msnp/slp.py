"""MSNSLP, the SIP-like text by which clients agree on a peer-to-peer session, and what an offer of a file says."""

import binascii
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import NamedTuple

from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.errors import MsnpError

FILE = "{5D3E02AB-6190-11D3-BBBB-00C04F795683}"  # EUF-GUID of a file; AppID 2
OBJECT = "{A4268EEC-FEC5-49E5-95C3-F126696BDBF6}"  # of a display picture or the like
FILE_APP = 2
SESSION_BODY = "application/x-msnmsgr-sessionreqbody"
CLOSE_BODY = "application/x-msnmsgr-sessionclosebody"
TRANSPORT_BODY = "application/x-msnmsgr-transreqbody"
TRANSPORT_ANSWER = "application/x-msnmsgr-transrespbody"

MAX_TEXT = 65536
_MAX_LINES = 64
_ADDRESS = re.compile(r"<msnmsgr:([^>]{1,300})>", re.IGNORECASE)
_NAME_OCTETS = 520  # 260 characters of UTF-16
_CONTEXT = struct.Struct("<IIQI")
_CONTEXT_SIZE = 574
_NO_PREVIEW = 1


class Slp(NamedTuple):
    """One message. `start` is its first line; header and body names are in lower case."""

    start: str
    headers: Mapping[str, str]
    body: Mapping[str, str]

    @property
    def method(self) -> str:
        """INVITE or BYE; empty for an answer."""
        return "" if self.start.startswith("MSNSLP/") else self.start.partition(" ")[0]

    @property
    def status(self) -> int:
        """Of an answer (200, 603), 0 for a request."""
        fields = self.start.split(" ")
        return commands.number(fields[1]) if self.start.startswith("MSNSLP/") and len(fields) > 1 else 0

    @property
    def session(self) -> int:
        return min(commands.number(self.body.get("sessionid", "")), 0xFFFFFFFF)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class FileOffer(NamedTuple):
    """What the Context of an INVITE says of a file."""

    name: str
    size: int


def parse(data: bytes) -> Slp:
    """Read a message. Raises MsnpError."""
    if len(data) > MAX_TEXT:
        raise MsnpError("MSNSLP message too long")
    text = data.rstrip(b"\0").decode("utf-8", "replace").replace("\r\n", "\n")
    head, _, body = text.partition("\n\n")
    start, *lines = head.split("\n")
    if "MSNSLP/" not in start or len(lines) > _MAX_LINES:
        raise MsnpError("not MSNSLP")
    return Slp(start[:300], _fields(lines), _fields(body.split("\n")[:_MAX_LINES]))


def _fields(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def address(header: str) -> str:
    """The address in To or From (`<msnmsgr:bob@example.com;{guid}>`). Raises MsnpError."""
    found = _ADDRESS.search(header)
    if found is None:
        raise MsnpError("no address in MSNSLP")
    return commands.address(found[1])


def request(
    method: str,
    to: str,
    source: str,
    branch: str,
    call_id: str,
    kind: str,
    body: Mapping[str, str | int],
    cseq: int = 0,
) -> bytes:
    """INVITE or BYE. `to` and `source` with `;{guid}` from version 16 on; `branch` and `call_id` are `{GUID}`."""
    return _build(f"{method} MSNMSGR:{to} MSNSLP/1.0", to, source, branch, cseq, call_id, kind, body)


def answer(to: Slp, status: str, kind: str, body: Mapping[str, str | int]) -> bytes:
    """The answer to a request: `200 OK`, `603 Decline`. To and From change places, branch and Call-ID stay."""
    headers = to.headers
    source, dest = (_inside(headers.get(name, "")) for name in ("to", "from"))
    branch = headers.get("via", "").rpartition("branch=")[2]
    call_id = headers.get("call-id", "")
    cseq = commands.number(headers.get("cseq", "")) + 1
    return _build(f"MSNSLP/1.0 {status}", dest, source, branch, cseq, call_id, kind, body)


def _inside(header: str) -> str:
    found = _ADDRESS.search(header)
    return found[1] if found else ""


def _build(
    start: str, to: str, source: str, branch: str, cseq: int, call_id: str, kind: str, body: Mapping[str, str | int]
) -> bytes:
    inside = "".join(f"{name}: {value}\r\n" for name, value in body.items()) + "\r\n"
    lines = (
        start,
        f"To: <msnmsgr:{to}>",
        f"From: <msnmsgr:{source}>",
        f"Via: MSNSLP/1.0/TLP ;branch={branch}",
        f"CSeq: {cseq} ",
        f"Call-ID: {call_id}",
        "Max-Forwards: 0",
        f"Content-Type: {kind}",
        f"Content-Length: {len(inside) + 1}",  # the NUL at the end counts
    )
    if any("\r" in line or "\n" in line for line in lines) or inside.count("\r\n") != len(body) + 1:
        raise MsnpError("line break in MSNSLP")
    return ("\r\n".join(lines) + "\r\n\r\n" + inside).encode("utf-8", "replace") + b"\0"


def file_context(offer: FileOffer) -> str:
    """The Context of an INVITE that offers a file, without a preview."""
    name = offer.name.encode("utf-16-le", "replace")[: _NAME_OCTETS - 2].ljust(_NAME_OCTETS, b"\0")
    data = _CONTEXT.pack(_CONTEXT_SIZE, 2, offer.size, _NO_PREVIEW) + name + bytes(30) + b"\xff\xff\xff\xff"
    return b64encode(data).decode()


def read_file_context(context: str) -> FileOffer:
    """Raises MsnpError."""
    try:
        data = b64decode(context[:MAX_TEXT])
    except (binascii.Error, ValueError):
        raise MsnpError("file context not in base64") from None
    if len(data) < _CONTEXT.size + 2:
        raise MsnpError("file context too short")
    _, _, size, _ = _CONTEXT.unpack_from(data)
    name = data[_CONTEXT.size : _CONTEXT.size + _NAME_OCTETS]
    text = name[: len(name) & ~1].decode("utf-16-le", "replace").partition("\0")[0]
    return FileOffer(_plain(text), size)


def _plain(name: str) -> str:
    """A file's name without a path, and without what no name should have."""
    last = re.split(r"[\\/:]", name)[-1]
    return "".join(c for c in last if c.isprintable()).strip(". ")[:120] or "file"
