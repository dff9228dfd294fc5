"""Typing outside sessions: isComposing by MESSAGE to devices that are there (RFC 3994); never stored, no outcome."""

from __future__ import annotations

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import Endpoint
from opencpm.access.sip.registrar import Registrar
from opencpm.domain.address import Address
from opencpm.domain.session import Composing
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols import iscomposing
from opencpm.protocols.sip.features import accept_contact, icsi

TYPE = "application/im-iscomposing+xml"


def takes_typing(binding: Binding) -> bool:
    """CPM devices do; a plain client if its Accept said so."""
    return not binding.plain or TYPE in binding.accept


def send_typing(
    endpoint: Endpoint,
    registrar: Registrar,
    home: Home,
    owner: Subscriber,
    source: Address,
    target: Address,
    composing: Composing,
) -> int:
    """Tell the devices of `owner`, whose address `target` is. Returns how many were told."""
    state = iscomposing.IsComposing(composing.active, composing.content_type, max(1, round(composing.refresh)))
    body, told = iscomposing.build(state), 0
    for binding in registrar.devices(owner.id, "msg"):
        if binding.flow is None or not takes_typing(binding):
            continue
        sender = home.uri(source, tel=not binding.plain)
        fields = [
            ("Max-Forwards", "70"),
            *[("Route", path) for path in binding.path],
            ("From", f"<{sender}>;tag={endpoint.new_token()}"),
            ("To", f"<{home.uri(target)}>"),
            ("Call-ID", f"{endpoint.new_token()}@{endpoint.via_host}"),
            ("CSeq", "1 MESSAGE"),
            ("P-Asserted-Identity", f"<{sender}>"),
        ]
        if not binding.plain:
            fields += [("P-Asserted-Service", icsi("msg")), ("Accept-Contact", accept_contact("msg"))]
        endpoint.send(binding.flow, "MESSAGE", binding.contact, [*fields, ("Content-Type", TYPE)], body)
        told += 1
    return told
