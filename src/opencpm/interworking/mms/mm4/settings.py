"""Settings of MM4: our own centre, and each peer with its habits as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from opencpm.interworking.mms.settings import MmsSettings, Seconds
from opencpm.transport.smtp_listener import networks

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]
_DOMAIN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


class PeerSettings(BaseModel):
    """``[[networks.<name>.peers]]``: another MMS centre."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        default="peer", pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="For people, and in stored references."
    )
    domain: str = Field(pattern=_DOMAIN, description='Its domain in addresses: "mms.mnc001.mcc234.gprs".')
    host: str = Field(default="127.0.0.1", description="Where its mail goes.")
    port: Port = Field(default=25, description="Its port.")
    tls: Literal["no", "starttls", "tls"] = Field(
        default="no", description="TLS towards it; its certificate is checked."
    )
    ca_file: str = Field(default="", description='Authority of its certificate; "": those of the system.')
    username: str = Field(default="", description="For SMTP AUTH, where it asks.")
    password: str = Field(default="", repr=False, description="Likewise.")
    addresses: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description='Whence its mail comes: addresses and prefixes ("10.1.0.0/16").'
    )
    prefixes: tuple[str, ...] = Field(
        default=(), description='Numbers that it serves ("+4477"); the longest prefix counts. Left out: all.'
    )
    number_domains: bool = Field(default=True, description="In headers, numbers carry a domain (/TYPE=PLMN@domain).")
    version: str = Field(default="6.10.0", pattern=r"^[0-9.]{1,12}$", description="X-Mms-3GPP-MMS-Version to it.")
    responses: bool = Field(default=True, description="It answers with MM4_forward.RES; false: SMTP's 250 is enough.")
    status_header: Literal["standard", "both"] = Field(
        default="standard", description="both: reports also carry the older X-Mms-Status."
    )
    connections: int = Field(default=4, ge=1, le=100, description="Connections to it at most.")

    @field_validator("addresses")
    @classmethod
    def _networks(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        networks(addresses)
        return addresses


class Mm4Settings(MmsSettings):
    """Our MMS centre as its peers see it."""

    domain: str = Field(
        default="mms.localhost", pattern=_DOMAIN, description="Our domain in addresses, as agreed with the peers."
    )
    system_user: str = Field(
        default="system-user", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Local part of our system's address."
    )
    listen_host: str = Field(default="127.0.0.1", description="Where peers bring mail.")
    listen_port: Port = Field(default=2525, description="The port; 0: a free one.")
    listen_tls: Literal["no", "starttls", "tls"] = Field(
        default="no", description="TLS for those who come: offered (starttls), or from the first octet (tls)."
    )
    tls_certificate: str = Field(default="", description="Certificate file (PEM) for it.")
    tls_key: str = Field(default="", description="Its key.")
    max_mail: int = Field(default=4 << 20, ge=10_000, description="Octets of a mail that is taken.")
    max_connections: int = Field(default=50, ge=1, description="Connections of all peers at most.")
    peers: tuple[PeerSettings, ...] = Field(default=(), description="The centres that we exchange messages with.")
    fallback_source: str = Field(
        default="", description="Sender for those who have no number of their own: a number or short code."
    )
    answer_wait: Seconds = Field(
        default=60.0, description="Seconds that a message waits for MM4_forward.RES before it counts as taken by 250."
    )
    response_timeout: Positive = Field(
        default=600.0, description="Seconds without a RES after which the same mail is sent again; it doubles."
    )
    resends: int = Field(default=3, ge=0, le=10, description="How often at most.")
    kept: Positive = Field(
        default=7 * 86400.0, description="Seconds during which a repeated transaction is known, and a report may go."
    )
    forward_limit: int = Field(default=5, ge=0, description="X-Mms-Forward-Counter above which a message is refused.")
    display_to_read: bool = Field(
        default=False, description="What our users have read is told by read reports, where both sides asked for it."
    )
    retry_min: Positive = Field(
        default=1.0, description="First pause before a peer that was lost is tried; it doubles."
    )
    retry_max: Positive = Field(default=60.0, description="Longest pause.")

    @model_validator(mode="after")
    def _together(self) -> Any:
        if not self.peers:
            raise ValueError("name at least one peer ([[networks.<name>.peers]])")
        names = [peer.name for peer in self.peers]
        if len(set(names)) < len(names):
            raise ValueError("two peers have the same name; give each its own")
        if self.listen_tls != "no" and not (self.tls_certificate and self.tls_key):
            raise ValueError("listen_tls needs tls_certificate and tls_key")
        return self

    @property
    def system_address(self) -> str:
        return f"{self.system_user}@{self.domain}"
