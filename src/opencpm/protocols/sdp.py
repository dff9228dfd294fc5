"""SDP for MSRP sessions: parsing (RFC 8866), and offer and answer of `m=message` (RFC 4975 §8, RFC 6135, RFC 5547)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

__all__ = [
    "CONTENT_TYPE",
    "Media",
    "MsrpMedia",
    "SdpError",
    "SessionDescription",
    "accepts",
    "answer",
    "answer_setup",
    "build",
    "msrp_media",
    "parse",
]

CONTENT_TYPE = "application/sdp"
_LIMIT = 65536
_MAX_LINES = 1024
_MAX_MEDIA = 16
_PROTOCOLS = {"TCP/MSRP": False, "TCP/TLS/MSRP": True}
_SETUPS = frozenset({"active", "passive", "actpass", "holdconn"})
SENDRECV, SENDONLY, RECVONLY, INACTIVE = "sendrecv", "sendonly", "recvonly", "inactive"
_DIRECTIONS = (SENDRECV, SENDONLY, RECVONLY, INACTIVE)
# RFC 5547 and neighbours: kept as they are, and repeated in an answer where the answer has to.
_FILE_ATTRIBUTES = ("file-selector", "file-transfer-id", "file-disposition", "file-range", "file-icon", "file-date")


class SdpError(ValueError):
    """Not SDP, or not an MSRP session that can be had. `warning` is the code for the Warning header of a 488
    (RFC 3261 §20.43): 302 transport, 304 media type, 305 format or parameters, 399 anything else."""

    def __init__(self, text: str, warning: int = 399) -> None:
        super().__init__(text)
        self.warning = warning


class Media(NamedTuple):
    """One `m=` section; attributes of the session level that it does not override count as its own."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str
    attributes: tuple[tuple[str, str], ...]
    line: str
    """The `m=` line after the equals sign, to be repeated with port 0 where it is refused."""

    def get(self, name: str) -> str | None:
        """The first attribute of this name; an empty string for a flag."""
        for key, value in self.attributes:
            if key == name:
                return value
        return None


class SessionDescription(NamedTuple):
    """What is needed of a whole description."""

    origin: str
    subject: str
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MsrpMedia:
    """The terms of an MSRP session, one end's view."""

    path: str
    """`a=path`: URIs, nearest first, blank between."""
    host: str = ""
    port: int = 9
    secure: bool = False
    """TCP/TLS/MSRP."""
    setup: str = "active"
    """RFC 6135: active, passive or actpass."""
    accept_types: tuple[str, ...] = ("message/cpim",)
    wrapped_types: tuple[str, ...] = ()
    direction: str = SENDRECV
    max_size: int | None = None
    """The largest message this end takes, bytes."""
    fingerprint: str = ""
    """RFC 8122: `sha-256 AB:CD:…`."""
    file: tuple[tuple[str, str], ...] = ()
    """file-selector and its company (RFC 5547), as written."""
    cema: bool = False

    @property
    def is_file(self) -> bool:
        """A file transfer rather than a conversation."""
        return any(name == "file-selector" for name, _ in self.file)


def parse(body: bytes) -> SessionDescription:
    """Parse a description, unknown lines and order forgiven. Raises SdpError."""
    if len(body) > _LIMIT:
        raise SdpError("SDP too long")
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError:
        raise SdpError("SDP is not UTF-8") from None
    if len(lines) > _MAX_LINES or not lines or not lines[0].startswith("v="):
        raise SdpError("not SDP")
    sections: list[list[tuple[str, str]]] = [[]]
    for line in lines:
        kind, equals, value = line.partition("=")
        if not equals or len(kind) != 1:
            if line.strip():
                raise SdpError("SDP line without a type")
            continue
        if kind == "m":
            sections.append([])
            if len(sections) > _MAX_MEDIA + 1:
                raise SdpError("too many media")
        sections[-1].append((kind, value.strip()))
    session = sections[0]
    media = tuple(_media(section, session) for section in sections[1:])
    return SessionDescription(_first(session, "o"), _first(session, "s"), media)


def _first(section: Sequence[tuple[str, str]], kind: str) -> str:
    return next((value for key, value in section if key == kind), "")


def _media(section: Sequence[tuple[str, str]], session: Sequence[tuple[str, str]]) -> Media:
    line = section[0][1]
    fields = line.split()
    port = fields[1].partition("/")[0] if len(fields) > 1 else ""
    if len(fields) < 3 or not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise SdpError("bad m= line")
    own = _attributes(section)
    names = {name for name, _ in own}
    inherited = tuple(pair for pair in _attributes(session) if pair[0] not in names)
    connection = (_first(section, "c") or _first(session, "c")).split()
    host = connection[2].partition("/")[0] if len(connection) > 2 else ""
    return Media(fields[0], int(port), fields[2], tuple(fields[3:]), host, own + inherited, line)


def _attributes(section: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found = []
    for kind, value in section:
        if kind == "a":
            name, _, text = value.partition(":")
            found.append((name.strip().lower(), text.strip()))
    return tuple(found)


def msrp_media(description: SessionDescription, *, setup: str = "active") -> tuple[int, MsrpMedia]:
    """The first usable MSRP medium and its index. Raises SdpError with the code for the Warning header.

    `setup` is what a missing `a=setup` means: active in an offer, passive in an answer (RFC 4975).
    """
    if not description.media:
        raise SdpError("no media offered", 304)
    reason = SdpError("only MSRP messages are supported", 304)
    for index, media in enumerate(description.media):
        if media.kind != "message" or media.port == 0:
            continue
        if media.protocol.upper() not in _PROTOCOLS:
            reason = SdpError("only TCP/MSRP and TCP/TLS/MSRP are supported", 302)
            continue
        return index, _terms(media, setup)
    raise reason


def _terms(media: Media, default_setup: str) -> MsrpMedia:
    path, types = media.get("path"), media.get("accept-types")
    if not path:
        raise SdpError("a=path is missing", 305)
    if not types:
        raise SdpError("a=accept-types is missing", 305)
    setup = (media.get("setup") or default_setup).lower()
    if setup not in _SETUPS:
        raise SdpError("unknown a=setup", 305)
    size = media.get("max-size") or ""
    return MsrpMedia(
        path=" ".join(path.split()),
        host=media.host,
        port=media.port,
        secure=_PROTOCOLS[media.protocol.upper()],
        setup=setup,
        accept_types=tuple(types.lower().split()),
        wrapped_types=tuple((media.get("accept-wrapped-types") or "").lower().split()),
        direction=next((d for d in _DIRECTIONS if media.get(d) is not None), SENDRECV),
        max_size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
        fingerprint=media.get("fingerprint") or "",
        file=tuple(pair for pair in media.attributes if pair[0] in _FILE_ATTRIBUTES),
        cema=media.get("msrp-cema") is not None,
    )


def accepts(types: Sequence[str], media_type: str) -> bool:
    """Whether an accept list (`*`, `text/*`, `text/plain;…`) covers a media type."""
    wanted = media_type.lower()
    major = wanted.partition("/")[0] + "/*"
    return any(t.partition(";")[0] in ("*", "*/*", wanted, major) for t in types)


def answer_setup(offered: str) -> str:
    """Our answer (RFC 6135 §4): we listen unless the peer insists on listening."""
    return "active" if offered == "passive" else "passive"


def answer_direction(offered: str) -> str:
    """RFC 3264 §6.1."""
    return {SENDONLY: RECVONLY, RECVONLY: SENDONLY}.get(offered, offered)


def build(terms: MsrpMedia, *, session_id: int, version: int) -> bytes:
    """A description of one MSRP medium. An active end writes port 9 (RFC 6135 §4.2)."""
    family = "IP6" if ":" in terms.host else "IP4"
    port = 9 if terms.setup == "active" else terms.port
    lines = [
        "v=0",
        f"o=- {session_id} {version} IN {family} {terms.host}",
        "s=-",
        f"c=IN {family} {terms.host}",
        "t=0 0",
        f"m=message {port} {'TCP/TLS/MSRP' if terms.secure else 'TCP/MSRP'} *",
        f"a=accept-types:{' '.join(terms.accept_types)}",
    ]
    if terms.wrapped_types:
        lines.append(f"a=accept-wrapped-types:{' '.join(terms.wrapped_types)}")
    lines += [f"a=path:{terms.path}", f"a=setup:{terms.setup}", f"a={terms.direction}"]
    if terms.max_size is not None:
        lines.append(f"a=max-size:{terms.max_size}")
    if terms.fingerprint:
        lines.append(f"a=fingerprint:{terms.fingerprint}")
    lines += [f"a={name}:{value}" for name, value in terms.file]
    return ("\r\n".join(lines) + "\r\n").encode()


def _refused(media: Media) -> str:
    return f"m={media.kind} 0 {media.protocol} {' '.join(media.formats) or '*'}"


def answer(offer: SessionDescription, terms: MsrpMedia, *, session_id: int, version: int) -> bytes:
    """The answer to an offer: our terms in the place of the first MSRP medium, all others refused with port 0.
    Raises SdpError if the offer has no MSRP medium."""
    chosen, offered = msrp_media(offer)
    terms = replace(terms, direction=answer_direction(offered.direction), file=_repeat(offered))
    text = build(terms, session_id=session_id, version=version).decode()
    head, medium = text.split("m=message", 1)
    before = "".join(f"{_refused(media)}\r\n" for media in offer.media[:chosen])
    after = "".join(f"{_refused(media)}\r\n" for media in offer.media[chosen + 1 :])
    return f"{head}{before}m=message{medium}{after}".encode()


def _repeat(offered: MsrpMedia) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in offered.file if pair[0] in ("file-selector", "file-transfer-id"))
