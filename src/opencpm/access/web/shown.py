"""The page behind a link in an SMS: what a network could not carry, for people without an account or an app.

One HTML page without scripts. Looking at it is counted and reported to nobody: what scans links for viruses looks too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import Response

from opencpm.access.web.desk import FileDesk
from opencpm.access.web.handing import SHOWN, hand_out, name_of
from opencpm.domain.message import Message, Part
from opencpm.messaging.shares import PAGE, Expired

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "private, no-store",
}
_PRESENTATION = frozenset({"application/smil", "application/smil+xml"})
_GONE = "This link has expired", "What it showed was kept for a limited time. Ask the sender to send it again."
_NONE = (
    "There is nothing here",
    "The address is not complete, or mistyped. Open the link from the message again.",
)


def router(desk: FileDesk) -> APIRouter:
    """``/c/<token>`` and what it shows."""
    pages = APIRouter(include_in_schema=False)

    @pages.api_route(PAGE + "{token}", methods=["GET", "HEAD"])
    async def page(token: str, request: Request) -> Response:
        try:
            record, shown = desk.files.look(token)
        except KeyError:
            return _said(404, *_NONE)
        except Expired:
            return _said(410, *_GONE)
        if request.method == "GET":
            desk.files.seen(token)
        return _html(200, _message(record.message, token, shown.until))

    @pages.api_route(PAGE + "{token}/{index}", methods=["GET", "HEAD"])
    async def part(token: str, index: int, request: Request) -> Response:
        try:
            record, _ = desk.files.look(token)
        except KeyError:
            return _said(404, *_NONE)
        except Expired:
            return _said(410, *_GONE)
        if not 0 <= index < len(record.message.parts):
            return _said(404, *_NONE)
        return hand_out(request, record.message.parts[index], index)

    return pages


def _said(status: int, title: str, words: str) -> Response:
    return _html(status, [f"<h1>{title}</h1><p>{words}</p>"], title)


def _html(status: int, content: list[str], title: str = "A message for you") -> Response:
    page = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="robots" content="noindex,nofollow,noarchive"><meta name="color-scheme" content="light dark">',
        '<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/share.css"></head><body><main>',
        *content,
        "</main></body></html>",
    ]
    return Response("\n".join(page), status, _HEADERS, "text/html; charset=utf-8")


def _message(message: Message, token: str, until: float) -> list[str]:
    sender = message.sender.value
    sent, over = _day(message.sent_at), _day(until)
    heading = escape(message.subject) or "A message for you"
    content = [f"<header><h1>{heading}</h1>"]
    content.append(f'<p class="about">From <b>{escape(sender)}</b>, {sent}</p></header>')
    parts = [(index, part) for index, part in enumerate(message.parts) if part.media_type not in _PRESENTATION]
    count = sum(part.media_type.startswith("image/") for _, part in parts)
    content += [line for item in parts for line in _part(*item, token, count)]
    content.append(f"<footer><p>You can open this page until {over}. Whoever has its address can read it.</p></footer>")
    return content


def _part(index: int, part: Part, token: str, pictures: int) -> Iterator[str]:
    href = f"{PAGE}{token}/{index}"
    name, kind = escape(name_of(part, index), quote=True), part.media_type.partition("/")[0]
    if part.media_type == "text/plain" and not part.name:
        yield f'<p class="text" dir="auto">{escape(part.text)}</p>'
        return
    yield "<figure>"
    if part.media_type in SHOWN and kind == "image":
        alt = f"Picture: {name}" if part.name else "Picture" if pictures == 1 else f"Picture {index + 1}"
        yield f'<a href="{href}"><img src="{href}" alt="{alt}"></a>'
    elif part.media_type in SHOWN:
        yield f'<{kind} controls preload="metadata" src="{href}" aria-label="{name}"></{kind}>'
    size = _size(len(part.body))
    yield f'<figcaption><a href="{href}" download="{name}">Save {name}</a> <span>{size}</span></figcaption>'
    yield "</figure>"


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _day(at: float) -> str:
    when = datetime.fromtimestamp(at, UTC)
    return f'<time datetime="{when.isoformat(timespec="seconds")}">{when.day} {when:%B %Y, %H:%M} UTC</time>'
