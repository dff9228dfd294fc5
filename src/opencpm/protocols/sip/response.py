"""Answers to requests (RFC 3261 §8.2.6) and the checks that every request gets first (§8.2)."""

from __future__ import annotations

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import check_name_addr, parse_cseq, parse_number, tag_of
from opencpm.protocols.sip.message import Fields, Message
from opencpm.protocols.sip.status import REASONS
from opencpm.protocols.sip.text import split_list
from opencpm.protocols.sip.uri import parse_uri


def encode_response(
    request: Message,
    status: int,
    *,
    to_tag: str = "",
    reason: str = "",
    fields: Fields = (),
    body: bytes = b"",
) -> bytes:
    """The octets of a response: Via, From, To, Call-ID and CSeq of the request in its order, then `fields`.

    `to_tag` is added to a To without one, except in a 100. Record-Route is copied where a dialog may arise
    (RFC 3261 §12.1.1). Values come from a parsed request, which has no line ends in them; `fields` are checked.
    """
    headers = request.headers
    lines = [f"SIP/2.0 {status} {reason or REASONS.get(status, 'Unknown')}"]
    lines += [f"Via: {via}" for via in headers.get("via", ())]
    if "record-route" in headers and 100 < status < 300:
        lines += [f"Record-Route: {route}" for route in headers["record-route"]]
    to = request.get("to")
    if to_tag and status > 100 and not tag_of(to):
        to = f"{to};tag={to_tag}"
    lines.append(f"From: {request.get('from')}\r\nTo: {to}\r\nCall-ID: {request.get('call-id')}")
    lines.append(f"CSeq: {request.get('cseq')}")
    for name, value in fields:
        if "\n" in value or "\r" in value:
            raise SipError("line end inside a header value", 500)
        lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


class Refusal(SipError):
    """A request that must be refused, with the headers that belong to the refusal."""

    def __init__(self, status: int, reason: str = "", *fields: tuple[str, str]) -> None:
        super().__init__(reason or REASONS.get(status, ""), status)
        self.fields = fields


def top_via(message: Message) -> str:
    """The first Via value as written. Raises SipError when there is none: nobody to answer to."""
    first = message.get("via")
    values = split_list(first) if "," in first else [first]
    if not values or not values[0]:
        raise SipError("no Via")
    return values[0]


def replace_top_via(message: Message, value: str) -> None:
    """Put a stamped Via in the place of the first one."""
    fields = message.headers["via"]
    rest = split_list(fields[0])[1:] if "," in fields[0] else []
    fields[0] = ", ".join([value, *rest])


_MANDATORY = ("via", "from", "to", "call-id", "cseq")


def check_request(request: Message) -> None:
    """What RFC 3261 §8.1.1 demands of every request; its Via has been read already, to match it.

    Raises Refusal: 400 naming the header, 505, 414, 416, 483.
    """
    if request.flaw:
        raise Refusal(505 if request.flaw == "Version Not Supported" else 400, request.flaw)
    for key in _MANDATORY:
        fields = request.headers.get(key)
        if not fields or not fields[0]:
            raise Refusal(400, f"Missing {_title(key)}")
        if len(fields) > 1 and key != "via":
            raise Refusal(400, f"Repeated {_title(key)}")
    _check_values(request)
    hops = request.get("max-forwards")
    if hops:
        if not (hops.isascii() and hops.isdigit()):
            raise Refusal(400, "Bad Max-Forwards")
        if int(hops[:6]) == 0 and request.method != "OPTIONS":
            raise Refusal(483)


def _check_values(request: Message) -> None:
    key = "cseq"
    try:
        if parse_cseq(request.get("cseq")).method != request.method:
            raise Refusal(400, "CSeq method differs")
        key = "from"
        check_name_addr(request.get("from"))
        key = "to"
        check_name_addr(request.get("to"))
    except Refusal:
        raise
    except SipError:
        raise Refusal(400, f"Bad {_title(key)}") from None
    try:
        parse_uri(request.uri)
    except SipError as error:
        raise Refusal(error.status, "Bad Request-URI" if error.status == 400 else "") from None


def check_require(request: Message, supported: frozenset[str]) -> None:
    """Refuse extensions we do not have (RFC 3261 §8.2.2.3). Raises Refusal 420 with Unsupported."""
    if "require" in request.headers:
        unknown = sorted(request.tokens("require") - supported)
        if unknown:
            raise Refusal(420, "", ("Unsupported", ", ".join(unknown)))


def check_expires(seconds: int, least: int) -> None:
    """Refuse an interval that is too short (RFC 3261 §10.3). Raises Refusal 423 with Min-Expires."""
    if 0 < seconds < least:
        raise Refusal(423, "", ("Min-Expires", str(least)))


def check_accept(request: Message, offered: str) -> None:
    """Refuse a request that does not accept the type we would answer with. Raises Refusal 406."""
    accepted = [value.partition(";")[0].strip().lower() for value in request.values("accept")]
    kind = offered.partition("/")[0]
    if accepted and not {offered, f"{kind}/*", "*/*"} & set(accepted):
        raise Refusal(406, "", ("Accept", offered))


def expires_of(request: Message, default: int) -> int:
    """The Expires header in seconds. Raises SipError."""
    value = request.get("expires")
    return parse_number(value, "Expires") if value else default


def _title(key: str) -> str:
    return {"call-id": "Call-ID", "cseq": "CSeq"}.get(key, key.title())
