"""Dialogs (RFC 3261 §12): what two ends keep of each other between requests."""

from __future__ import annotations

from dataclasses import dataclass

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_cseq, parse_name_addr, tag_of
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.uri import parse_uri

DialogId = tuple[str, str, str]
"""Call-ID, local tag, remote tag."""


@dataclass(slots=True, eq=False)
class Dialog:
    """One end's state. `local` and `remote` are From/To values without tags; `route_set` are Route values in the
    order to send them."""

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    remote_target: str
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None = None
    confirmed: bool = False

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local_tag, self.remote_tag

    def next_request(self, method: str) -> tuple[str, list[tuple[str, str]]]:
        """Request-URI and the fields of a new in-dialog request (§12.2.1.1), without Via, Contact and body.

        An ACK repeats the INVITE's number: use `ack`.
        """
        self.local_cseq += 1
        return self._fields(self.local_cseq, method)

    def ack(self, number: int) -> tuple[str, list[tuple[str, str]]]:
        """The same for the ACK to the 2xx of the INVITE with this CSeq number."""
        return self._fields(number, "ACK")

    def _fields(self, number: int, method: str) -> tuple[str, list[tuple[str, str]]]:
        uri, routes = self.remote_target, list(self.route_set)
        if routes and not _is_loose(routes[0]):  # strict router of RFC 2543
            uri, routes = parse_name_addr(routes[0]).uri, [*routes[1:], f"<{self.remote_target}>"]
        fields = [
            ("Max-Forwards", "70"),
            *[("Route", route) for route in routes],
            ("From", f"{self.local};tag={self.local_tag}"),
            ("To", f"{self.remote};tag={self.remote_tag}" if self.remote_tag else self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
        ]
        return uri, fields

    def take_request(self, request: Message) -> None:
        """Accept an in-dialog request: order and target refresh (§12.2.2). Raises Refusal 500 for an old CSeq."""
        cseq = parse_cseq(request.get("cseq"))
        if cseq.method in ("ACK", "CANCEL"):
            return
        if self.remote_cseq is not None and cseq.number <= self.remote_cseq:
            raise Refusal(500, "CSeq out of order")
        self.remote_cseq = cseq.number
        if cseq.method in ("INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"):
            self.refresh_target(request)

    def refresh_target(self, message: Message) -> None:
        """Take the Contact of a target refresh request or of its 2xx, when it has one that can be read."""
        try:
            self.remote_target = contact_uri(message) or self.remote_target
        except SipError:
            pass


def _is_loose(route: str) -> bool:
    return parse_uri(parse_name_addr(route).uri).parameter("lr") is not None


def contact_uri(message: Message) -> str:
    """The URI of the first Contact, "" without one. Raises SipError for one that cannot be read."""
    values = message.values("contact")
    return parse_name_addr(values[0]).uri if values else ""


def without_tag(value: str) -> str:
    """A From or To value without its tag."""
    tag = tag_of(value)
    if not tag:
        return value
    address = parse_name_addr(value)
    display = f'"{address.display}" ' if address.display else ""
    return f"{display}<{address.uri}>"


def uas_dialog(request: Message, local_tag: str) -> Dialog:
    """The dialog that our 1xx or 2xx to this request creates (§12.1.1). Raises Refusal 400 without a Contact."""
    try:
        target = contact_uri(request)
    except SipError:
        target = ""
    if not target:
        raise Refusal(400, "Missing Contact")
    return Dialog(
        call_id=request.get("call-id"),
        local_tag=local_tag,
        remote_tag=tag_of(request.get("from")),
        local=without_tag(request.get("to")),
        remote=without_tag(request.get("from")),
        remote_target=target,
        route_set=tuple(request.values("record-route")),
        local_cseq=0,
        remote_cseq=parse_cseq(request.get("cseq")).number,
        confirmed=True,
    )


def uac_dialog(request: Message, response: Message) -> Dialog:
    """The dialog that a 1xx with a To tag or a 2xx to our request creates (§12.1.2). Raises SipError."""
    return Dialog(
        call_id=request.get("call-id"),
        local_tag=tag_of(request.get("from")),
        remote_tag=tag_of(response.get("to")),
        local=without_tag(request.get("from")),
        remote=without_tag(request.get("to")),
        remote_target=contact_uri(response) or request.uri,
        route_set=tuple(reversed(response.values("record-route"))),
        local_cseq=parse_cseq(request.get("cseq")).number,
        confirmed=response.status >= 200,
    )


def dialog_id(request: Message) -> DialogId | None:
    """The id, seen from the receiver, of the dialog an incoming request belongs to; None outside any."""
    local = tag_of(request.get("to"))
    return (request.get("call-id"), local, tag_of(request.get("from"))) if local else None
