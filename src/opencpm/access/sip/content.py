"""Bodies of pager mode (RFC 3428): SIP MESSAGE to neutral message, and what a MESSAGE may carry besides texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from opencpm.domain.message import Disposition, Part
from opencpm.protocols import cpim, mime
from opencpm.protocols.sip.message import Message as SipMessage
from opencpm.protocols.sip.response import Refusal

_WANTS = {
    "positive-delivery": Disposition.POSITIVE_DELIVERY,
    "negative-delivery": Disposition.NEGATIVE_DELIVERY,
    "display": Disposition.DISPLAY,
    "processing": Disposition.PROCESSING,
    "interworking": Disposition.INTERWORKING,
}
_BARE = ("text/", "image/", "audio/", "video/", "multipart/", "application/vnd.")
_BARE_EXACT = frozenset({"message/cpim", "message/imdn+xml", "application/im-iscomposing+xml"})
LIST_TYPE = "application/resource-lists+xml"
_LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()


class Content(NamedTuple):
    """The body of a MESSAGE taken apart. `wrapped`: it came in CPIM. `lists`: recipient lists that stood before."""

    parts: tuple[Part, ...]
    wrapped: bool
    message_id: str = ""
    sent_at: float | None = None
    wants: Disposition = Disposition.NONE
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    lists: tuple[bytes, ...] = ()

    @property
    def media_type(self) -> str:
        return self.parts[0].media_type if self.parts else ""


def read(message: SipMessage, *, limit: int) -> Content:
    """Take the body of a MESSAGE apart. Raises Refusal 400, 413 or 415."""
    if len(message.body) > limit:
        raise Refusal(413)
    encoding = message.get("content-encoding")
    try:
        body = mime.decode_content(message.body, encoding, limit=limit)
    except mime.MimeError as error:
        raise _undecodable(error) from None
    content_type = clean(message.get("content-type")) or "text/plain"
    kind = mime.media_type(content_type)
    if kind not in _BARE_EXACT and not kind.startswith(_BARE):
        raise Refusal(415, "", ("Accept", ", ".join(sorted(_BARE_EXACT | {"text/plain", "multipart/mixed"}))))
    if kind == "message/cpim":
        return _from_cpim(body)
    if kind.startswith("multipart/"):
        return _from_multipart(content_type, body)
    disposition = clean(message.get("content-disposition"))
    return Content((Part(content_type, body, disposition=disposition),), False, sent_at=_date(message))


def clean(text: str) -> str:
    """A field that is kept: octets that are no UTF-8 become U+FFFD, for the store and other networks take text only."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _undecodable(error: mime.MimeError) -> Refusal:
    text = str(error)
    if "inflates" in text:
        return Refusal(413)
    if "unknown" in text or "too many" in text:
        return Refusal(415, "", ("Accept-Encoding", "identity, deflate, gzip"))
    return Refusal(400, "Bad Content-Encoding")


def _from_cpim(body: bytes, lists: tuple[bytes, ...] = ()) -> Content:
    try:
        found = cpim.parse(body)
    except cpim.CpimError as error:
        raise Refusal(400, f"Bad CPIM: {error}") from None
    return Content(
        _cpim_parts(found),
        True,
        found.message_id,
        _rfc3339(found.datetime),
        _asked(found.dispositions),
        found.get("Subject") or "",
        _unknown(found),
        lists,
    )


@lru_cache(maxsize=256)
def _asked(dispositions: tuple[str, ...]) -> Disposition:
    wants = Disposition.NONE
    for token in dispositions:
        wants |= _WANTS.get(token, Disposition.NONE)
    return wants


def _cpim_parts(found: cpim.Cpim) -> tuple[Part, ...]:
    if found.media_type.startswith("multipart/"):
        try:
            return tuple(_part(p) for p in mime.split_multipart(found.content_type, found.content))
        except mime.MimeError as error:
            raise Refusal(400, f"Bad multipart: {error}") from None
    disposition = found.content_header("Content-Disposition") or ""
    return (Part(found.content_type, found.content, _file_name(disposition), disposition),)


def _unknown(found: cpim.Cpim) -> tuple[tuple[str, str], ...]:
    """CPIM headers to hand on as they are: all that we do not write ourselves, with the namespaces they need."""
    kept = []
    for name, value in found.headers:
        if name in ("From", "To", "DateTime", "Subject", "cc"):
            continue
        if name.endswith((".Message-ID", ".Disposition-Notification")) or (name == "NS" and cpim.IMDN_NS in value):
            continue
        kept.append((name, value))
    return tuple(kept)


def _from_multipart(content_type: str, body: bytes) -> Content:
    """Parts, of which recipient lists are taken out (RFC 5365 §4) and a single CPIM part is opened."""
    try:
        parts = mime.split_multipart(content_type, body)
        lists = tuple(p.decoded() for p in parts if mime.media_type(p.content_type) == LIST_TYPE)
        rest = [p for p in parts if mime.media_type(p.content_type) != LIST_TYPE]
        if len(rest) == 1 and mime.media_type(rest[0].content_type) == "message/cpim":
            return _from_cpim(rest[0].decoded(), lists)
        return Content(tuple(_part(p) for p in rest), False, lists=lists)
    except mime.MimeError as error:
        raise Refusal(400, f"Bad multipart: {error}") from None


def _part(part: mime.Part) -> Part:
    disposition = part.get("Content-Disposition") or ""
    return Part(part.content_type, part.decoded(), _file_name(disposition), disposition)


def _file_name(disposition: str) -> str:
    return mime.parse_content_type(disposition)[1].get("filename", "") if "filename" in disposition else ""


def _rfc3339(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text)
        return _believable((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _date(message: SipMessage) -> float | None:
    value = message.get("date")
    if not value:
        return None
    try:
        return _believable(parsedate_to_datetime(value).timestamp())
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _believable(at: float) -> float | None:
    """A device's time, if it can be written again in any zone; a clock before 1970 was never set."""
    return at if 0 < at < _LAST else None


@lru_cache(maxsize=4096)
def rfc3339(at: float) -> str:
    """Seconds since the epoch as a DateTime; whole seconds without a fraction."""
    when = datetime.fromtimestamp(at, UTC)
    text = when.isoformat(timespec="milliseconds" if when.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


@lru_cache(maxsize=64)
def wants_tokens(wants: Disposition) -> Sequence[str]:
    """The tokens of a Disposition-Notification."""
    return tuple(token for token, flag in _WANTS.items() if flag in wants)
