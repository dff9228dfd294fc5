"""The terms of a session: what an invitation brings, what we answer, what we offer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opencpm.protocols import cpim, iscomposing, mime, sdp
from opencpm.protocols.msrp.errors import MsrpError
from opencpm.protocols.msrp.uri import MsrpUri, parse_path
from opencpm.protocols.sdp import MsrpMedia, SdpError, SessionDescription
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal

__all__ = ["FileOffer", "Invitation", "answer_to", "connect_to", "offer_terms", "read_answer", "read_invitation"]

_TEXT = "text/plain"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the body of an INVITE says. `first` is the CPIM that SIMPLE IM clients put next to the SDP."""

    description: SessionDescription
    terms: MsrpMedia
    first: bytes = b""


@dataclass(frozen=True, slots=True)
class FileOffer:
    """A file that we offer: its type, its SDP attributes (RFC 5547), and the small picture that goes beside the SDP."""

    content_type: str
    attributes: tuple[tuple[str, str], ...]
    icon: bytes = b""
    icon_type: str = "image/jpeg"
    icon_id: str = ""

    def body(self, description: bytes, boundary: str) -> tuple[str, bytes]:
        """Content-Type and body of the INVITE (§8.1, §9.1)."""
        if not self.icon:
            return sdp.CONTENT_TYPE, description
        parts = [
            mime.Part((("Content-Type", sdp.CONTENT_TYPE),), description),
            mime.Part(
                (
                    ("Content-Type", self.icon_type),
                    ("Content-Transfer-Encoding", "binary"),
                    ("Content-ID", f"<{self.icon_id}>"),
                    ("Content-Disposition", "icon"),
                ),
                self.icon,
            ),
        ]
        return f'multipart/mixed;boundary="{boundary}"', mime.build_multipart(parts, boundary)


def read_invitation(request: Message, host: str) -> Invitation:
    """The offer of an INVITE or re-INVITE. Raises Refusal: 415 with Accept, 400, 488 with Warning (`host` says who
    warns)."""
    sdp_body, first = _bodies(request)
    try:
        description = sdp.parse(sdp_body)
        _, terms = sdp.msrp_media(description)
        _check(terms)
    except SdpError as error:
        raise Refusal(488, "", ("Warning", f'{error.warning} {host} "{error}"')) from None
    return Invitation(description, terms, first)


def _bodies(request: Message) -> tuple[bytes, bytes]:
    content_type = request.get("content-type")
    kind = mime.media_type(content_type)
    if not request.body:
        return b"", b""
    try:
        body = mime.decode_content(request.body, request.get("content-encoding"))
        if kind == sdp.CONTENT_TYPE:
            return body, b""
        if not kind.startswith("multipart/"):
            raise Refusal(415, "", ("Accept", f"{sdp.CONTENT_TYPE}, multipart/mixed"), ("Accept-Encoding", "identity"))
        parts = {mime.media_type(part.content_type): part for part in mime.split_multipart(content_type, body)}
        found = parts.get(sdp.CONTENT_TYPE), parts.get(cpim.CONTENT_TYPE)
        return found[0].decoded() if found[0] else b"", found[1].decoded() if found[1] else b""
    except mime.MimeError as error:
        raise Refusal(400, f"Bad body: {error}") from None


def _check(terms: MsrpMedia) -> None:
    """Can we talk at all? Raises SdpError."""
    connect_to(terms)
    if terms.is_file:
        return
    if not sdp.accepts(terms.accept_types, cpim.CONTENT_TYPE) and not sdp.accepts(terms.accept_types, _TEXT):
        raise SdpError("message/cpim or text/plain must be accepted", 305)


def connect_to(terms: MsrpMedia) -> MsrpUri:
    """Where the peer listens: the first hop of its path; with CEMA (RFC 6714) what c= and m= name. Raises SdpError."""
    try:
        hop = parse_path(terms.path)[0]
    except MsrpError as error:
        raise SdpError(f"a=path: {error}", 305) from None
    if terms.cema and terms.host and terms.port != 9:
        return hop._replace(host=terms.host, port=terms.port)
    return hop


def _ours(uri: MsrpUri, setup: str, max_size: int, fingerprint: str) -> MsrpMedia:
    return MsrpMedia(
        path=str(uri),
        host=uri.host,
        port=uri.port,
        secure=uri.secure,
        setup=setup,
        accept_types=(cpim.CONTENT_TYPE, iscomposing.CONTENT_TYPE),
        wrapped_types=("*",),
        max_size=max_size,
        fingerprint=fingerprint if uri.secure else "",
    )


def offer_terms(
    uri: MsrpUri,
    *,
    max_size: int,
    number: int,
    direction: str = sdp.SENDRECV,
    fingerprint: str = "",
    file: FileOffer | None = None,
) -> tuple[MsrpMedia, bytes]:
    """Our offer: either end may connect. `number` makes the o= line unique; `fingerprint` is of our certificate."""
    ours = replace(_ours(uri, "actpass", max_size, fingerprint), direction=direction)
    if file is not None:
        ours = replace(ours, accept_types=(file.content_type,), wrapped_types=(), file=file.attributes)
    return ours, sdp.build(ours, session_id=number, version=number)


def answer_to(
    invitation: Invitation, uri: MsrpUri, *, max_size: int, number: int, version: int, fingerprint: str = ""
) -> tuple[MsrpMedia, bytes]:
    """Our terms and answer: we listen unless the peer insists on it (RFC 6135); bare text only for those who take
    no CPIM."""
    theirs = invitation.terms
    ours = _ours(uri, sdp.answer_setup(theirs.setup), max_size, fingerprint)
    if theirs.is_file:
        ours = replace(ours, accept_types=theirs.accept_types, wrapped_types=())
    elif not sdp.accepts(theirs.accept_types, cpim.CONTENT_TYPE):
        ours = replace(ours, accept_types=(*ours.accept_types, _TEXT))
    return ours, sdp.answer(invitation.description, ours, session_id=number, version=version)


def read_answer(response: Message, *, file: bool = False) -> MsrpMedia:
    """The terms in the 2xx to our offer (of a `file`: then it takes that file's type). Raises SdpError."""
    kind = mime.media_type(response.get("content-type"))
    if kind != sdp.CONTENT_TYPE:
        raise SdpError("no SDP answer")
    _, terms = sdp.msrp_media(sdp.parse(response.body), setup="passive")
    if file:
        connect_to(terms)
    else:
        _check(terms)
    return terms
