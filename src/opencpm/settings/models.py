"""The sections of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from opencpm.domain.policy import Policy
from opencpm.settings.kinds import OptionalPort, Port, Section
from opencpm.settings.mm7 import Mm7AccessSettings
from opencpm.settings.numbers import NumbersSettings
from opencpm.settings.policy import PolicySettings
from opencpm.settings.smpp import SmppSettings

Domain = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"), AfterValidator(str.lower)]


class SipSettings(Section):
    """CPM devices over SIP, and the MSRP of their sessions."""

    enabled: bool = Field(default=True, description="Serve SIP devices.")
    host: str = Field(default="127.0.0.1", description='Address to listen on; "0.0.0.0" or "::" for all.')
    udp_port: OptionalPort = Field(default=5060, description='SIP over UDP; 0 for any free port, "off" for none.')
    tcp_port: OptionalPort = Field(default=5060, description='SIP over TCP; 0 for any free port, "off" for none.')
    tls_port: OptionalPort = Field(default=None, description="SIP over TLS (usually 5061); needs a certificate.")
    ws_port: OptionalPort = Field(default=None, description="SIP over WebSocket, without TLS.")
    wss_port: OptionalPort = Field(default=None, description="SIP over secure WebSocket; needs a certificate.")
    tls_certificate: str = Field(default="", description="File with the certificate chain, PEM.")
    tls_key: str = Field(default="", description="File with its private key, PEM.")
    domains: tuple[Domain, ...] = Field(default=(), description="Domains served here; left out: the domain above.")
    realm: str = Field(default="", description="Realm of digest authentication; left out: the domain above.")
    digest_algorithms: tuple[Literal["SHA-256", "MD5"], ...] = Field(
        default=("MD5", "SHA-256"),
        min_length=1,
        description="Offered to devices in this order. SIPp looks at the first only and knows MD5 alone; "
        'where all devices know SHA-256, write ["SHA-256"].',
    )
    digest_without_qop: bool = Field(
        default=True, description="Take answers without qop, as deployed clients send them."
    )
    trust_flows: tuple[Literal["udp", "tcp", "tls", "ws", "wss"], ...] = Field(
        default=("tcp", "tls", "ws", "wss"),
        description="Transports over which a registered device is not challenged again for each request.",
    )
    min_expires: int = Field(default=60, ge=1, description="Shortest registration, seconds.")
    max_expires: int = Field(default=3600, ge=60, description="Longest registration, seconds; longer wishes are cut.")
    max_message_bytes: int = Field(default=65536, ge=1300, description="Largest SIP message accepted, bytes.")
    max_devices: int = Field(default=10, ge=1, description="Registered devices of one user.")
    max_connections: int = Field(default=20_000, ge=1, description="Connections at a time.")
    max_sessions: int = Field(default=10_000, ge=1, description="Sessions at a time.")
    window: int = Field(default=16, ge=1, description="Messages under way to one device at a time.")
    session_ring_timeout: Annotated[float, Field(gt=0)] = Field(
        default=90.0, description="How long an invited device may ring, seconds."
    )
    msrp_host: str = Field(default="", description="Address to listen on for MSRP; left out: the same as for SIP.")
    msrp_port: Port = Field(default=2855, description="MSRP over TCP; 0 for any free port.")
    msrps_port: OptionalPort = Field(default=None, description="MSRP over TLS; needs a certificate.")
    msrp_advertised_host: str = Field(
        default="", description="Host that devices connect to, where it is another (NAT)."
    )
    msrp_idle: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="A session without a word for so long is closed, seconds."
    )
    advertised_host: str = Field(default="", description="Host that SIP messages of ours name, where it is another.")

    @model_validator(mode="after")
    def _certificate(self) -> SipSettings:
        secure = {"tls_port": self.tls_port, "wss_port": self.wss_port, "msrps_port": self.msrps_port}
        needing = [name for name, port in secure.items() if port is not None]
        if needing and not (self.tls_certificate and self.tls_key):
            raise ValueError(f"{' and '.join(needing)} needs tls_certificate and tls_key; write both, or turn it off")
        return self


class WebSettings(Section):
    """The HTTP API and the page."""

    enabled: bool = Field(default=True, description="Serve the API and the page.")
    host: str = Field(default="127.0.0.1", description="Address to listen on. Put a TLS proxy in front of it.")
    port: Port = Field(default=8080, description="Port; 0 for any free one.")
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Other origins whose pages may call the API (CORS)."
    )
    public_url: str = Field(default="", description="How people reach it, where that is not host and port.")
    operators: tuple[str, ...] = Field(
        default=(), description="Users who may see status and figures; this machine itself always may."
    )
    demo: dict[str, Any] = Field(
        default={}, description="What /demo.json tells the page; written by `opencpm demo`, empty otherwise."
    )


class FilesSettings(Section):
    """Files that users upload, and links to content that a network cannot carry. How large one may be is
    policy.limits.message_bytes."""

    keep: Annotated[float, Field(ge=60)] = Field(
        default=7 * 86400.0, description="Seconds for which an uploaded file waits to be sent."
    )
    keep_partial: Annotated[float, Field(ge=60)] = Field(
        default=86400.0, description="Seconds for which a broken upload can go on."
    )
    share: Annotated[float, Field(ge=60)] = Field(
        default=14 * 86400.0, description="Seconds for which a device can fetch a file that was sent to it."
    )
    per_user: int = Field(default=100, ge=1, description="Uploaded files of one user.")
    per_user_bytes: int = Field(default=100 << 20, ge=1, description="Bytes of uploaded files of one user.")
    all_bytes: int = Field(default=10 << 30, ge=1, description="Bytes of all uploaded files.")
    digest_downloads: bool = Field(
        default=True,
        description="A device proves with its password that a file is for its user before it may fetch it. "
        "false: whoever has the unguessable address may, for devices that never answer a challenge.",
    )


class Settings(Section):
    """The whole file."""

    node: str = Field(
        default="node1", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Name of this server, for its traces."
    )
    domain: Domain = Field(description='The domain that users belong to: "cpm.example.com".')
    data_dir: Path = Field(default=Path("data"), description="Folder of the database; relative to this file.")
    store_messages: bool = Field(
        default=True,
        description="false: messages are not stored and a restart loses them. Only for measuring what storage costs.",
    )
    secret_key: str = Field(
        min_length=32, description="Encrypts secrets at rest. Keep it: without it linked accounts must be linked anew."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")
    event_loop: Literal["auto", "uvloop", "asyncio"] = Field(
        default="auto", description="auto: uvloop where it is installed, which takes half the CPU for sockets."
    )
    sip: SipSettings = Field(default=SipSettings(), description="CPM devices ([sip]).")
    web: WebSettings = Field(default=WebSettings(), description="API and page ([web]).")
    smpp: SmppSettings = Field(default=SmppSettings(), description="ESMEs that bind to us ([smpp]).")
    mm7: Mm7AccessSettings = Field(default=Mm7AccessSettings(), description="VASPs that submit to us ([mm7]).")
    files: FilesSettings = Field(default=FilesSettings(), description="Uploads and links ([files]).")
    numbers: NumbersSettings = Field(
        default=NumbersSettings(), description="What is known of telephone numbers ([numbers])."
    )
    policy: PolicySettings = Field(default=PolicySettings(), description="What selection reads ([policy]).")
    networks: dict[str, dict[str, Any]] = Field(
        default={}, description='Foreign networks ([networks.<name>]); "type" says which kind, the rest belongs to it.'
    )

    @field_validator("networks")
    @classmethod
    def _typed(cls, networks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, settings in networks.items():
            if name in ("sip", "web", "smpp", "mm7"):
                raise ValueError(f"{name!r} is the name of an access; choose another for this network")
            if not isinstance(settings.get("type"), str):
                raise ValueError(f'{name} has no type; write type = "sms" (or the kind of network it is)')
        return networks

    @model_validator(mode="before")
    @classmethod
    def _domain_below(cls, values: Any) -> Any:
        """Sections that leave their domain out mean the one of the server."""
        domain = values.get("domain") if isinstance(values, dict) else None
        sip = values.get("sip", {}) if isinstance(values, dict) else None
        if isinstance(domain, str) and isinstance(sip, dict):
            values = {**values, "sip": {"domains": [domain], "realm": domain.lower(), **sip}}
        return values

    @property
    def local_domains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.domain, *self.sip.domains)))

    @property
    def realm(self) -> str:
        """Of digest authentication; passwords are kept as hashes over it."""
        return self.sip.realm or self.domain

    @property
    def database(self) -> str:
        """Path for the store."""
        return str(self.data_dir / "opencpm.db")

    @property
    def uploads(self) -> Path:
        """Folder of uploaded files."""
        return self.data_dir / "uploads"

    def policy_values(self) -> Policy:
        return self.policy.policy(self.local_domains)
