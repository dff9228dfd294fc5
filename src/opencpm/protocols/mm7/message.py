"""MM7 messages as HTTP bodies: a SOAP envelope, alone or with the content beside it (SOAP with attachments)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from opencpm.protocols.mime import MimeError, Part, build_multipart, media_type, parse_content_type, split_multipart
from opencpm.protocols.mms.content import bare_id

from .envelope import Envelope, read_envelope, write_envelope
from .errors import Mm7Error
from .operations import (
    DeliverReq,
    ExtendedReplaceReq,
    Operation,
    ReplaceReq,
    Request,
    Response,
    SubmitReq,
    response_name,
)
from .schema import REL_6, Release
from .values import Content, Status

MAX_SIZE = 16 << 20
XML_TYPE = 'text/xml; charset="utf-8"'
_XML_TYPES = ("text/xml", "application/soap+xml", "application/xml")
_WITH_CONTENT = (SubmitReq, DeliverReq, ReplaceReq, ExtendedReplaceReq)


class Message(NamedTuple):
    """An MM7 message. The content is one part, often a multipart itself (`mms.content.flatten`)."""

    transaction_id: str
    operation: Operation
    release: Release = REL_6
    content: Part | None = None


def decode(content_type: str, body: bytes, *, limit: int = MAX_SIZE) -> Message:
    """A request or response from the Content-Type and body of its HTTP message.

    Raises Mm7Error: over `limit` octets, no multipart where one is said, or no MM7 envelope.
    """
    if len(body) > limit:
        raise Mm7Error(f"MM7 message over {limit} octets")
    if not media_type(content_type).startswith("multipart/"):
        return Message(*read_envelope(body))
    try:
        parts = split_multipart(content_type, body)
        root = _root(content_type, parts)
        envelope = read_envelope(root.decoded())
    except MimeError as error:
        raise Mm7Error(str(error)) from None
    others = tuple(part for part in parts if part is not root)
    return Message(*envelope, content=_content(envelope.operation, others))


def _root(content_type: str, parts: tuple[Part, ...]) -> Part:
    """The part of the envelope: by `start`, else the first that is XML (RFC 2387 §3.2)."""
    start = bare_id(parse_content_type(content_type)[1].get("start", ""))
    for part in parts:
        if start and bare_id(part.get("Content-ID") or "") == start:
            return part
    for part in parts:
        if media_type(part.content_type) in _XML_TYPES:
            return part
    raise Mm7Error("no envelope among the parts")


def _content(operation: Operation, parts: tuple[Part, ...]) -> Part | None:
    """The part that href names (with or without cid: and brackets); the first one if none has that name."""
    if isinstance(operation, _WITH_CONTENT) and operation.content is not None:
        href = bare_id(operation.content.href)
        for part in parts:
            if href and href in (bare_id(part.get("Content-ID") or ""), part.get("Content-Location")):
                return part
    return parts[0] if parts else None


def encode(message: Message, boundary: str = "") -> tuple[str, bytes]:
    """Content-Type and body of the HTTP message; `boundary` (one that stands in no part) if there is content.

    The content's Content-ID becomes the href of the Content element; one is given to it if it has none.
    Raises Mm7Error for a value that has no spelling, and for content on an operation that has none.
    """
    transaction, operation, release, content = message
    if content is None:
        return XML_TYPE, write_envelope(Envelope(transaction, operation, release))
    if not isinstance(operation, _WITH_CONTENT) or not boundary:
        raise Mm7Error("content without a place or without a boundary")
    content_id = bare_id(content.get("Content-ID") or "")
    if not content_id:
        content_id = f"content.{boundary}"
        content = Part((*content.headers, ("Content-ID", f"<{content_id}>")), content.body)
    adapt = operation.content.allow_adaptations if operation.content is not None else None
    operation = replace(operation, content=Content(f"cid:{content_id}", adapt))
    start = f"<soap.{boundary}>"
    root = Part(
        (("Content-Type", XML_TYPE), ("Content-ID", start)),
        write_envelope(Envelope(transaction, operation, release)),
    )
    header = f'multipart/related; type="text/xml"; start="{start}"; boundary="{boundary}"'
    return header, build_multipart((root, content), boundary)


def answer(request: Message, status: Status, *, message_id: str = "", service_code: str = "") -> Message:
    """The response to a request, in its release and with its TransactionID. Raises Mm7Error for a response."""
    operation = request.operation
    if isinstance(operation, Response):
        raise Mm7Error("a response has no answer")
    response = Response(
        operation=response_name(operation), status=status, message_id=message_id, service_code=service_code
    )
    return Message(request.transaction_id, response, request.release)


def error(name: str, status: Status, transaction_id: str = "0000", release: Release = REL_6) -> Message:
    """RSErrorRsp (said by an MMSC) or VASPErrorRsp (by a service): for what cannot be read, or has no response."""
    return Message(transaction_id, Response(operation=name, status=status), release)


__all__ = ["MAX_SIZE", "XML_TYPE", "Message", "Request", "answer", "decode", "encode", "error"]
