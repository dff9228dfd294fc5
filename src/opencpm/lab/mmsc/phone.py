"""A phone of the lab: it fetches multimedia messages, shows what its class can show, and sends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError

from opencpm.protocols import smil
from opencpm.protocols.mime import Part, charset_of, media_type
from opencpm.protocols.mms.content import SMIL, flatten, multipart, part_of, presentation

from .happenings import Happening, Happenings

Attachment = tuple[str, str, bytes]
"""Name, media type, octets."""


class Class(NamedTuple):
    """What a phone shows (OMA MMS Conformance 1.3): octets of a message, pixels of a picture, media types."""

    octets: int
    pixels: tuple[int, int]
    types: tuple[str, ...]


_PICTURES: Final = ("image/jpeg", "image/gif", "image/vnd.wap.wbmp")
_BASIC: Final = ("text/plain", SMIL, "text/x-vcard", "text/x-vcalendar")
CLASSES: Final[dict[str, Class]] = {
    "text": Class(30 << 10, (0, 0), ("text/plain", SMIL)),
    "image-basic": Class(30 << 10, (160, 120), (*_BASIC, *_PICTURES, "audio/amr")),
    "image-rich": Class(100 << 10, (640, 480), (*_BASIC, *_PICTURES, "audio/amr")),
    "video-rich": Class(300 << 10, (640, 480), (*_BASIC, *_PICTURES, "audio/amr", "video/3gpp")),
    "megapixel": Class(300 << 10, (1600, 1200), (*_BASIC, *_PICTURES, "audio/amr", "video/3gpp")),
}


class Shown(NamedTuple):
    """A part as the phone shows it. ``pixels``: of a picture; ``trouble``: why it cannot be shown."""

    media_type: str
    body: bytes
    pixels: tuple[int, int] = (0, 0)
    trouble: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace") if self.media_type == "text/plain" else ""


@dataclass(slots=True)
class Mm:
    """A message on the phone, its parts in the order of the presentation."""

    at: float
    message_id: str
    sender: str
    subject: str
    parts: tuple[Shown, ...]
    size: int
    wants_read_report: bool
    linked_id: str = ""
    read: bool = False

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def pictures(self) -> tuple[Shown, ...]:
        return tuple(part for part in self.parts if part.media_type.startswith("image/"))

    @property
    def trouble(self) -> str:
        """What the phone cannot show of it."""
        return "; ".join(part.trouble for part in self.parts if part.trouble)


@dataclass(slots=True)
class Sent:
    """A message that the phone sent. ``status``: sent, accepted, or the StatusCode it was refused with."""

    at: float
    to: str
    linked_id: str
    status: str = "sent"


Submit = Callable[["Phone", str, str, Part], Awaitable[Sent]]
Read = Callable[["Phone", Mm, str], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Phone:
    """``mms`` is its inbox. Made by ``LabMmsc.phone``. ``on``: fetches at once; else messages wait in the centre;
    ``rejects``: its owner refuses every message."""

    number: str
    kind: str
    happenings: Happenings
    submit: Submit
    report: Read
    changed: Callable[[Phone], None]
    mms: list[Mm] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    rejects: bool = False
    _on: bool = True

    @property
    def on(self) -> bool:
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        self.changed(self)

    async def wait_mm(self, index: int | None = None, patience: float = 20.0) -> Mm:
        """The message at ``index`` of the inbox (left out: the next one to come). Raises TimeoutError."""
        index = len(self.mms) if index is None else index
        await self.happenings.until(lambda: len(self.mms) > index, patience)
        return self.mms[index]

    async def send(self, text: str, attachments: Sequence[Attachment] = (), *, to: str, subject: str = "") -> Sent:
        """Write to a number or short code; returns when the service has answered."""
        sent = await self.submit(self, to, subject, composed(text, attachments))
        self.sent.append(sent)
        return sent

    async def read(self, mm: Mm, word: str = "Read") -> None:
        """Its owner looks at it; the sender is told if they asked."""
        mm.read = True
        await self.report(self, mm, word)

    def take(self, mm: Mm) -> None:
        """The centre delivers a message."""
        self.mms.append(mm)
        self.happenings.add(Happening(time.time(), "retrieved", self.number, mm.text[:60]))


def shown(content: Part, kind: str) -> tuple[Shown, ...]:
    """The parts as a phone of this class shows them, in order. Raises MimeError."""
    parts = flatten(content)
    first = presentation(content, parts)
    slides = smil.ordered(first.body if first else None, parts)
    return tuple(_shown(part, CLASSES[kind]) for slide in slides for part in slide)


def _shown(part: Part, kind: Class) -> Shown:
    found = media_type(part.content_type)
    if found == "text/plain":
        return Shown(found, part.body.decode(charset_of(part.content_type), "replace").encode())
    if found not in kind.types:
        return Shown(found, part.body, trouble=f"cannot show {found}")
    return _picture(found, part.body, kind) if found.startswith("image/") else Shown(found, part.body)


def _picture(found: str, body: bytes, kind: Class) -> Shown:
    try:
        with Image.open(BytesIO(body)) as image:
            width, height = image.size
            image.load()
    except (OSError, UnidentifiedImageError, ValueError):
        return Shown(found, body, trouble="a damaged picture")
    fits = max(width, height) <= max(kind.pixels) and min(width, height) <= min(kind.pixels)
    return Shown(found, body, (width, height), "" if fits else f"a picture of {width}x{height} is too large")


def composed(text: str, attachments: Sequence[Attachment]) -> Part:
    """What a phone makes of a text and files: a slide each, the text with the last one, named as phones name them."""
    parts = [
        part_of(f'{kind}; name="{name}"', body, f"a{number}", name)
        for number, (name, kind, body) in enumerate(attachments)
    ]
    if text:
        parts.append(part_of("text/plain; charset=utf-8", text.encode(), "t", "text.txt"))
    items = [smil.Item(_word(part), part.get("Content-Location") or "") for part in parts]
    first = part_of(f"{SMIL}; charset=utf-8", smil.write(smil.pages_of(items)), "p.smil", "p.smil")
    return multipart([first, *parts], "_boundary_of_a_phone", content_id="mm")


def _word(part: Part) -> str:
    main = media_type(part.content_type).partition("/")[0]
    return {"image": "img", "text": "text", "audio": "audio", "video": "video"}.get(main, "ref")
