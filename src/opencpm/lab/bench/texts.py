"""The MESSAGE of the benchmark, 1.2 kB as a CPM device sends it, with places for what differs."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.protocols import cpim

ICSI = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"
TEXT = "Are you coming to the concert on Friday? We meet at seven at the fountain, and then we walk over together."
LONG_TEXT = " ".join([TEXT] * 4)  # three segments


def message(
    user: str, domain: str, local: str, transport: str, *, receipt: bool, text: str = TEXT
) -> Callable[[str, int], bytes]:
    """``build(target, number)`` gives the octets of one MESSAGE."""
    wants = ("positive-delivery", "negative-delivery") if receipt else ()
    body = cpim.compose(
        text.encode(),
        "text/plain;charset=UTF-8",
        message_id="@ID@",
        datetime="2026-11-23T07:26:38Z",
        dispositions=wants,
    )
    length = len(body) - len("@ID@") + 20
    template = (
        f"MESSAGE @TO@ SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK@ID@;rport\r\nMax-Forwards: 70\r\n"
        f"Route: <sip:orig@{domain};transport={transport.lower()};lr>\r\n"
        f"From: <sip:{user}@{domain}>;tag=@ID@\r\nTo: <@TO@>\r\nCall-ID: @ID@@{local}\r\nCSeq: 1 MESSAGE\r\n"
        f"P-Preferred-Identity: <sip:{user}@{domain}>\r\n"
        "P-Preferred-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\r\n"
        f'Accept-Contact: *;+g.3gpp.icsi-ref="{ICSI}";require;explicit\r\n'
        f"Conversation-ID: 6b79b8bc-937e-4985-b1df-{user:0>12}\r\nContribution-ID: 0c1e4f32-58a1-@ID@\r\n"
        "Date: Mon, 23 Nov 2026 07:26:38 GMT\r\nUser-Agent: IM-client/OMA1.0 OpenCPM-bench/1.0\r\n"
        "Allow: INVITE, ACK, BYE, CANCEL, MESSAGE, OPTIONS, UPDATE\r\n"
        f"Content-Type: message/cpim\r\nContent-Length: {length}\r\n\r\n"
    ).encode() + body
    run = f"{abs(hash((user, local))) % 10**10:010d}"

    def build(target: str, number: int) -> bytes:
        return template.replace(b"@ID@", f"{run}{number:010d}".encode()).replace(b"@TO@", target.encode())

    return build
