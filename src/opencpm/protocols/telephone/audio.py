"""SDP of a telephone call that carries a modem: G.711 only, no silence suppression (RFC 3264, RFC 3551)."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.protocols.g711 import LAWS
from opencpm.protocols.sdp import SdpError, parse

_PTIME = 20


class Audio(NamedTuple):
    """Where one end hears, and the payload types it takes, best first (8 PCMA, 0 PCMU)."""

    host: str
    port: int
    laws: tuple[int, ...] = (8, 0)

    def describe(self, session: int = 1) -> bytes:
        """The description of this end."""
        family = "IP6" if ":" in self.host else "IP4"
        lines = [
            "v=0",
            f"o=- {session} 1 IN {family} {self.host}",
            "s=-",
            f"c=IN {family} {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(map(str, self.laws))}",
            *[f"a=rtpmap:{law} {LAWS[law].name}/8000" for law in self.laws],
            f"a=ptime:{_PTIME}",
            "a=silenceSupp:off - - - -",
            "a=sendrecv",
        ]
        return ("\r\n".join(lines) + "\r\n").encode()


def read(body: bytes) -> Audio:
    """The other end's audio. Raises SdpError where there is no G.711 both ways, as with fax relay or on hold."""
    reason = SdpError("no audio offered", 304)
    for media in parse(body).media:
        if media.kind != "audio" or media.port == 0:
            continue
        laws = tuple(LAWS[int(form)].payload_type for form in media.formats if form in ("0", "8"))
        if media.protocol.upper() not in ("RTP/AVP", "RTP/AVPF"):
            reason = SdpError("only plain RTP is supported", 302)
        elif not laws:
            reason = SdpError("only G.711 carries a modem", 305)
        elif media.host in ("", "0.0.0.0") or any(media.get(way) is not None for way in ("inactive", "recvonly")):  # noqa: S104
            reason = SdpError("the call is on hold", 399)
        else:
            return Audio(media.host, media.port, laws)
    raise reason


def agreed(mine: tuple[int, ...], theirs: Audio) -> int:
    """The payload type both take: the first of theirs that is mine. Raises SdpError."""
    for law in theirs.laws:
        if law in mine:
            return law
    raise SdpError("no common companding law", 305)
