"""File transfer over HTTP (GSMA RCC.07): the XML that stands for a file in a message, and the one of a resumed upload.

Both forms seen in the wild are read: with and without the namespace on ``file``; attributes in any order. Written is
the form with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .xmlsafe import XmlError, escape, local_name, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["CONTENT_TYPE", "FileInfo", "FtHttpError", "Resume", "Transfer", "build", "build_resume", "parse"]

CONTENT_TYPE: Final = "application/vnd.gsma.rcs-ft-http+xml"
NS: Final = "urn:gsma:params:xml:ns:rcs:rcs:fthttp"
AM_NS: Final = "urn:gsma:params:xml:ns:rcs:rcs:rram"
_LIMIT = 65536
_MAX_INFOS = 16
_MAX_TEXT = 4096
_URL = re.compile(r"https?://[!-;=?-~]{1,2048}\Z", re.IGNORECASE | re.ASCII)


class FtHttpError(ValueError):
    """Not such a document, or one over the limits."""


class FileInfo(NamedTuple):
    """One `file-info`: the file itself, or a small picture of it."""

    url: str
    size: int
    content_type: str
    until: str = ""
    """RFC 3339, as written; empty where the document says nothing."""
    name: str = ""
    disposition: str = ""
    """`render` or `attachment`."""
    playing_length: int | None = None
    """Seconds of sound."""


class Transfer(NamedTuple):
    """A whole document."""

    file: FileInfo
    thumbnail: FileInfo | None = None


class Resume(NamedTuple):
    """How far an upload came: `end` is the place of the last byte that is here (-1: none)."""

    url: str
    start: int
    end: int


def parse(body: bytes) -> Transfer:
    """Read a document. Raises FtHttpError."""
    root = _root(body, "file")
    found: dict[str, FileInfo] = {}
    count = 0
    for element in root:
        if local_name(element) != "file-info":
            continue
        count += 1
        if count > _MAX_INFOS:
            raise FtHttpError(f"over {_MAX_INFOS} file-info elements")
        found.setdefault((element.get("type") or "file").strip().lower(), _info(element))
    if "file" not in found:
        raise FtHttpError("no file-info of type file")
    return Transfer(found["file"], found.get("thumbnail"))


def parse_resume(body: bytes) -> Resume:
    """Read a `file-resume-info`. Raises FtHttpError."""
    root = _root(body, "file-resume-info")
    span = next((element for element in root if local_name(element) == "file-range"), None)
    data = next((element for element in root if local_name(element) == "data"), None)
    if span is None or data is None:
        raise FtHttpError("file-range or data is missing")
    end = (span.get("end") or "").strip()
    return Resume(_url(data), _number(span.get("start")), -1 if end == "-1" else _number(end))


def _root(body: bytes, name: str) -> Element:
    try:
        root = parse_xml(body, limit=_LIMIT, max_depth=8)
    except XmlError as error:
        raise FtHttpError(str(error)) from None
    if local_name(root) != name:
        raise FtHttpError(f"not a {name} document")
    return root


def _info(element: Element) -> FileInfo:
    texts = {local_name(child): (child.text or "").strip() for child in element if local_name(child) != "data"}
    data = next((child for child in element if local_name(child) == "data"), None)
    if data is None:
        raise FtHttpError("data is missing")
    if any(len(text) > _MAX_TEXT for text in texts.values()):
        raise FtHttpError("text too long")
    length = texts.get("playing-length", "")
    return FileInfo(
        _url(data),
        _number(texts.get("file-size")),
        texts.get("content-type") or "application/octet-stream",
        (data.get("until") or "").strip()[:64],
        texts.get("file-name", "")[:255],
        (element.get("file-disposition") or "").strip().lower()[:32],
        _number(length) if length else None,
    )


def _url(data: Element) -> str:
    url = (data.get("url") or "").strip()
    if not _URL.match(url):
        raise FtHttpError("data without a usable url")
    return url


def _number(text: str | None) -> int:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise FtHttpError("not a number of bytes")
    return int(text)


def build(transfer: Transfer) -> bytes:
    """Write a document."""
    rows = [] if transfer.thumbnail is None else _rows("thumbnail", transfer.thumbnail)
    rows += _rows("file", transfer.file)
    extra = f' xmlns:am="{AM_NS}"' if transfer.file.playing_length is not None else ""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<file xmlns="{NS}"{extra}>', *rows, "</file>"]
    return "\r\n".join(lines).encode()


def _rows(kind: str, info: FileInfo) -> list[str]:
    disposition = f' file-disposition="{escape(info.disposition)}"' if info.disposition else ""
    until = f' until="{escape(info.until)}"' if info.until else ""
    rows = [f'<file-info type="{kind}"{disposition}>', f"<file-size>{info.size}</file-size>"]
    if info.name:
        rows.append(f"<file-name>{escape(info.name)}</file-name>")
    rows.append(f"<content-type>{escape(info.content_type)}</content-type>")
    if info.playing_length is not None:
        rows.append(f"<am:playing-length>{info.playing_length}</am:playing-length>")
    return [*rows, f'<data url="{escape(info.url)}"{until}/>', "</file-info>"]


def build_resume(resume: Resume) -> bytes:
    """Write a `file-resume-info`."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<file-resume-info xmlns="{NS}">\r\n'
        f'<file-range start="{resume.start}" end="{resume.end}"/>\r\n<data url="{escape(resume.url)}"/>\r\n'
        "</file-resume-info>"
    ).encode()
