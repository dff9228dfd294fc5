"""Taking in files: ``multipart/form-data`` as it comes, and the rest of one that broke off (GSMA RCC.07).

Nothing is held in memory but a piece of it; when the way breaks, what came is kept for a resumption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from opencpm.access.web.handing import file_name
from opencpm.access.web.problems import Problem, malformed, of_send_error
from opencpm.access.web.ranges import brought
from opencpm.domain.errors import SendError
from opencpm.interfaces import Ids, Upload, Uploads

PIECE = 256 << 10
"""Bytes that are collected before they are written."""
_MAX_PARTS = 16
_MAX_SMALL = 512 << 10  # a thumbnail; `tid` is far below
_TID = re.compile(r"[!-~]{1,128}\Z")
_TYPE = re.compile(r"[!#-'*+.0-9A-Z^_`a-z|~-]{1,64}/[!#-'*+.0-9A-Z^_`a-z|~-]{1,96}(;[ -~]{0,120})?\Z")


@dataclass(slots=True)
class _Piece:
    """What the parser found: the head of a part, some of its bytes, or its end."""

    kind: str
    name: str = ""
    file_name: str = ""
    content_type: str = ""
    data: bytes = b""


@dataclass(slots=True)
class _Parser:
    """python-multipart's callbacks as a list of pieces."""

    boundary: bytes
    pieces: list[_Piece] = field(default_factory=list)
    over: bool = False
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _field: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _parts: int = 0
    _machine: MultipartParser | None = None

    def feed(self, data: bytes) -> list[_Piece]:
        """:raises Problem: not a form, or too many parts."""
        if self._machine is None:
            self._machine = MultipartParser(self.boundary, self._callbacks())  # type: ignore[arg-type]
        try:
            self._machine.write(data)
        except ValueError as error:
            raise malformed(f"The form is damaged: {str(error)[:100]}.") from None
        pieces, self.pieces = self.pieces, []
        return pieces

    def _callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._head,
            "on_part_data": lambda data, start, end: self.pieces.append(_Piece("data", data=bytes(data[start:end]))),
            "on_part_end": lambda: self.pieces.append(_Piece("end")),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise ValueError(f"over {_MAX_PARTS} parts")

    def _header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _head(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        name = options.get(b"name", b"").decode("utf-8", "replace")
        found = options.get(b"filename", b"").decode("utf-8", "replace")
        self.pieces.append(_Piece("head", name.lower(), found, content_type))

    def _end(self) -> None:
        self.over = True


class Receiving:
    """One request that brings a file of ``owner``."""

    def __init__(self, uploads: Uploads, owner: str, ids: Ids) -> None:
        self._uploads, self._owner = uploads, owner
        self._tid, self._upload_id, self._done = ids.new(), "", False
        self._part = _Piece("")
        self._small = bytearray()
        self._buffer = bytearray()
        self._at = 0
        self._thumbnail: tuple[str, bytes] | None = None

    async def form(self, request: Request) -> Upload:
        """The parts ``tid``, ``Thumbnail`` (may be missing) and ``File``.

        :raises Problem: no such form, no file in it, or too large.
        """
        kind, options = parse_options_header(request.headers.get("content-type", "").encode("latin-1"))
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise Problem(415, "unsupported-media", "A file is sent as multipart/form-data.")
        parser = _Parser(boundary)
        try:
            async for chunk in request.stream():
                for piece in parser.feed(chunk):
                    await self._take(piece)
            return await self._finished()
        except SendError as error:
            raise of_send_error(error) from None
        finally:
            if self._upload_id and not self._done:
                await self._kept()

    async def rest(self, request: Request, upload: Upload) -> Upload:
        """PUT with Content-Range: what was still missing.

        :raises Problem:
        """
        try:
            span = brought(request.headers.get("content-range", ""))
        except ValueError as error:
            raise malformed(f"{error}.") from None
        self._upload_id, self._at = upload.id, span.start
        try:
            await self._uploads.append(upload.id, span.start, b"", total=span.total)
            async for chunk in request.stream():
                if self._at + len(self._buffer) + len(chunk) > span.end:
                    raise malformed("More bytes than the Content-Range says.")
                await self._store(chunk)
            await self._flush()
            if self._at != span.end:
                raise malformed("Fewer bytes than the Content-Range says.")
            if self._at == span.total:
                self._done = True
                return await self._uploads.finish(upload.id)
        except ClientDisconnect:
            raise
        except SendError as error:
            raise of_send_error(error) from None
        finally:
            if not self._done:
                await self._kept()
        found = await self._uploads.keep(upload.id)
        return found or upload

    async def _kept(self) -> None:
        """The way broke, or something was wrong: what came so far stays."""
        try:
            await self._flush()
            await self._uploads.keep(self._upload_id)
        except SendError:
            pass  # what is on disk is on disk

    # pieces of a form

    async def _take(self, piece: _Piece) -> None:
        if piece.kind == "head":
            self._part = piece
            self._small.clear()
            if piece.name == "file":
                await self._begin(piece)
        elif piece.kind == "data" and self._part.name == "file":
            await self._store(piece.data)
        elif piece.kind == "data":
            self._small += piece.data
            if len(self._small) > _MAX_SMALL:
                raise Problem(413, "too-large", "A part of the form beside the file is too large.")
        else:
            await self._part_over()

    async def _begin(self, piece: _Piece) -> None:
        if self._upload_id:
            raise malformed("One file a request.")
        content_type = piece.content_type if _TYPE.match(piece.content_type) else "application/octet-stream"
        name = file_name(piece.file_name)
        upload = await self._uploads.begin(self._owner, self._tid, name=name, content_type=content_type)
        self._upload_id, self._done = upload.id, upload.complete

    async def _part_over(self) -> None:
        name, value = self._part.name, bytes(self._small)
        if name == "tid":
            tid = value.decode("latin-1").strip()
            if not _TID.match(tid) or self._upload_id:
                raise malformed("tid is a name of 1 to 128 visible letters, and comes before the file.")
            self._tid = tid
        elif name == "thumbnail":
            kind = self._part.content_type.partition(";")[0].strip().lower()
            if kind not in ("image/jpeg", "image/png"):
                raise malformed("A thumbnail is image/jpeg or image/png.")
            self._thumbnail = kind, value
        elif name == "file":
            await self._flush()
            if not self._done:
                if self._thumbnail is not None:
                    await self._uploads.thumbnail(self._upload_id, *self._thumbnail)
                await self._uploads.finish(self._upload_id)
                self._done = True

    async def _finished(self) -> Upload:
        found = self._uploads.get(self._upload_id) if self._done else None
        if found is None:
            raise malformed(
                "The form ended before the file did." if self._upload_id else "There is no file in the form."
            )
        return found

    async def _store(self, data: bytes) -> None:
        if self._done:
            return  # it is here already: a sender who did not hear our answer
        self._buffer += data
        if len(self._buffer) >= PIECE:
            await self._flush()

    async def _flush(self) -> None:
        if self._buffer and not self._done:
            data = bytes(self._buffer)
            self._buffer.clear()
            await self._uploads.append(self._upload_id, self._at, data)
            self._at += len(data)
