"""The content of Internet mail (RFC 2045, RFC 2046) as flat parts, and flat parts as mail.

Of alternatives the best we can show is taken; HTML that stands alone is read as text. Bounded in parts, depth and size.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from urllib.parse import quote, unquote_to_bytes

from opencpm.protocols.mime import MimeError, Part, build_multipart, media_type, parse_content_type, split_multipart
from opencpm.protocols.mm4.headers import decode_words

MAX_PARTS = 128
_MAX_DEPTH = 6
_MAX_HTML = 1 << 20
_MAX_NAME = 120
_LINE = 998
_CODEC = re.compile(
    r"(?:utf-?8|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|"
    r"shift_jis|euc-jp|euc-kr|iso-2022-jp|utf-16(?:be|le)?)\Z",
    re.I | re.A,
)
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SPACE = re.compile(r"\s+")
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote"})
_SILENT = frozenset({"script", "style", "head", "title", "template"})


def leaves(content: Part) -> tuple[Part, ...]:
    """The parts in order, transfer encodings undone, texts in UTF-8. Raises MimeError: damaged, or over a bound."""
    found: list[Part] = []
    _collect(content, found, 1)
    return tuple(found)


def _collect(content: Part, found: list[Part], depth: int) -> None:
    kind = media_type(content.content_type)
    if not kind.startswith("multipart/"):
        if len(found) == MAX_PARTS:
            raise MimeError(f"over {MAX_PARTS} parts")
        if kind not in _SIGNATURES:
            found.append(_leaf(content, kind))
        return
    if depth > _MAX_DEPTH:
        raise MimeError(f"multipart nested over {_MAX_DEPTH} levels")
    parts = split_multipart(content.content_type, content.decoded(), max_parts=MAX_PARTS)
    for part in _best(parts) if kind == "multipart/alternative" else parts:
        _collect(part, found, depth + 1)


def _best(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """RFC 2046 §5.1.4 puts the richest last; we show text, so the plain one, else the last."""
    plain = [part for part in parts if media_type(part.content_type) == "text/plain"]
    return (plain[0],) if plain else parts[-1:]


def _leaf(content: Part, kind: str) -> Part:
    body = content.decoded()
    attached = (content.get("Content-Disposition") or "").strip().lower().startswith("attachment")
    if kind in ("text/plain", "text/html") and not attached:
        text = _text(body, content.content_type)
        body = (text_of_html(text) if kind == "text/html" else text).encode()
        return Part((("Content-Type", "text/plain; charset=utf-8"),), body)
    name = file_name(content)
    headers = [("Content-Type", f'{kind}; name="{name}"' if name else kind)]
    headers += [(key, value) for key, value in content.headers if key.lower() in ("content-id", "content-location")]
    return Part(tuple(headers), body)


def _text(body: bytes, content_type: str) -> str:
    charset = parse_content_type(content_type)[1].get("charset", "utf-8")
    codec = charset if _CODEC.match(charset) else "utf-8"
    try:
        return body.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return body.decode("utf-8", "replace")


def file_name(part: Part) -> str:
    """The name of a file (RFC 2183, RFC 2231, or the encoded words that many write); empty for none."""
    for header, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
        parameters = parse_content_type(part.get(header) or "")[1]
        extended = parameters.get(f"{parameter}*", "")
        name = _extended(extended) if extended else decode_words(parameters.get(parameter, ""))
        bare = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable() and c not in '"\\')
        if bare.strip():
            return bare.strip()[:_MAX_NAME]
    return ""


def _extended(value: str) -> str:
    charset, _, rest = value.partition("'")
    _, _, octets = rest.partition("'")
    return _text(unquote_to_bytes(octets), f"x/x; charset={charset or 'utf-8'}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.out.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BREAKS and tag != "br":
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(_SPACE.sub(" ", data))


def text_of_html(html: str) -> str:
    """The words of a page, its blocks on lines of their own; scripts and styles left out. Never fails."""
    reader = _Reader()
    reader.feed(html[:_MAX_HTML])
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.out).split("\n")]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(kept).strip()


# -- writing


def composed(parts: Sequence[Part], boundary: str) -> Part:
    """Flat parts as mail carries them anywhere, also through hosts that know 7 bits only: one text alone, else
    multipart/mixed with files as attachments. The caller chooses a boundary that stands in no part.
    """
    if len(parts) == 1 and media_type(parts[0].content_type) == "text/plain":
        return _written_text(parts[0])
    written = [_written(part) for part in parts]
    return Part((("Content-Type", f'multipart/mixed; boundary="{boundary}"'),), build_multipart(written, boundary))


def _written(part: Part) -> Part:
    if media_type(part.content_type) == "text/plain" and not file_name(part):
        return _written_text(part)
    kind, name = media_type(part.content_type), file_name(part)
    disposition = "attachment"
    if name:
        disposition += f'; filename="{name}"' if name.isascii() else f"; filename*=UTF-8''{quote(name, safe='')}"
    headers = (
        ("Content-Type", kind),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", disposition),
    )
    return Part(headers, base64.encodebytes(part.body).replace(b"\n", b"\r\n").rstrip())


def _written_text(part: Part) -> Part:
    body = part.body.replace(b"\r\n", b"\n")
    plain = body.isascii() and b"\0" not in body and all(len(line) < _LINE for line in body.split(b"\n"))
    coding = "7bit" if plain else "quoted-printable"
    lines = body if plain else quopri.encodestring(body, quotetabs=False)
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", coding))
    return Part(headers, lines.replace(b"\n", b"\r\n"))
