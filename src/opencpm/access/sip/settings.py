"""Settings of the SIP access."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Listener(BaseModel):
    """One socket to listen on."""

    model_config = ConfigDict(extra="forbid")

    transport: Literal["udp", "tcp", "tls", "ws", "wss"]
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=0, ge=0, le=65535, description="Port; 0 takes a free one.")


class SipSettings(BaseModel):
    """How devices reach this server over SIP."""

    model_config = ConfigDict(extra="forbid")

    domain: str = Field("cpm.test", description="The SIP domain that this server serves.")
    aliases: tuple[str, ...] = Field((), description="Further host names and addresses that mean this domain.")
    realm: str = Field("", description="Realm of digest authentication; empty: the domain.")
    host: str = Field("", description="Host name or address that Via and Contact name; empty: the first listener's.")
    listen: tuple[Listener, ...] = Field(
        (Listener(transport="udp", port=5060), Listener(transport="tcp", port=5060)),
        description="Where to listen.",
    )
    certificate: str = Field("", description="File with the TLS certificate chain (PEM), for tls and wss.")
    private_key: str = Field("", description="File with the TLS private key (PEM), for tls and wss.")

    digest: tuple[Literal["SHA-256", "MD5"], ...] = Field(
        ("MD5", "SHA-256"),
        description="Digest algorithms in the order in which they are offered. A client takes the first it knows "
        "(RFC 8760), but SIPp looks at the first only: with SHA-256 in front it cannot register.",
    )
    md5_agents: tuple[str, ...] = Field(
        ("baresip", "JsSIP"),
        description="Clients, by a part of their User-Agent, that give up when they see any digest but MD5 (baresip "
        "1.0), or that know MD5 alone and look at the last one offered (JsSIP 3.13); "
        "they are offered MD5 alone, as is a client that leaves a challenge unanswered.",
    )
    digest_without_qop: bool = Field(True, description="Take answers without qop, as deployed clients send them.")
    nonce_lifetime: float = Field(300.0, gt=0, description="Seconds for which a challenge can be answered.")
    trust_flows: frozenset[Literal["udp", "tcp", "tls", "ws", "wss"]] = Field(
        frozenset({"tcp", "tls", "ws", "wss"}),
        description="Transports over which a registered device needs no new digest for each request.",
    )
    failures: int = Field(10, ge=1, description="Wrong passwords within a minute before 403.")

    min_expires: int = Field(60, ge=1, description="Shortest registration in seconds; below it 423.")
    max_expires: int = Field(3600, ge=60, description="Longest registration in seconds; longer ones get this.")
    default_expires: int = Field(3600, ge=60, description="Registration in seconds when the device names none.")
    max_devices: int = Field(10, ge=1, description="Registered devices of one user.")
    gruu: bool = Field(True, description="Give devices that support it a GRUU (RFC 5627).")

    max_message: int = Field(65_536, ge=1300, description="Octets of a message's body, inflated; above it 413.")
    max_content: int = Field(
        10_485_760, ge=1300, description="Octets of a message's content in all, whatever the form; above it 413 or 403."
    )
    file_lifetime: float = Field(
        1_209_600.0, gt=0, description="Seconds for which a device can fetch a file that was sent to it."
    )
    max_recipients: int = Field(100, ge=1, description="Receivers of one message (RFC 5365); above it 413.")
    window: int = Field(
        16, ge=1, description="Messages under way to one device at a time; deferred ones go one by one."
    )
    max_connections: int = Field(20_000, ge=1, description="TCP, TLS and WebSocket connections.")
    idle: float = Field(3700.0, gt=0, description="Seconds after which a silent connection is closed.")
    silent: float = Field(60.0, ge=0, description="Seconds for which a device that did not answer counts as away.")
    service_user: str = Field("service", description="User part of the address that system messages come from.")

    sessions: dict[str, Any] = Field(default_factory=dict, description="Settings of sessions over MSRP.")

    @model_validator(mode="after")
    def _tls_needs_a_certificate(self) -> SipSettings:
        if any(one.transport in ("tls", "wss") for one in self.listen) and not (self.certificate and self.private_key):
            raise ValueError("a tls or wss listener needs certificate and private_key")
        return self
