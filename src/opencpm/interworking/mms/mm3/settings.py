"""Settings of MM3: our domain in mail, the relay that takes mail out, and whence mail comes in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from opencpm.transport.smtp_listener import networks

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]
_DOMAIN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


class Mm3Settings(BaseModel):
    """A gateway to Internet mail behind the operator's mail relay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(default="E-mail", description="For people.")
    domain: str = Field(
        default="mms.localhost", pattern=_DOMAIN, description="Our users' domain in mail: +12025550100@domain."
    )
    user_domain: str = Field(
        default="", description='Domain of SIP addresses that user@domain stands for; "": the same.'
    )
    number_form: Literal["plain", "typed"] = Field(
        default="plain", description="typed: numbers are written +12025550100/TYPE=PLMN@domain."
    )
    system_user: str = Field(
        default="gateway", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Local part of our return path."
    )
    relay_host: str = Field(default="127.0.0.1", description="The relay that takes our mail.")
    relay_port: Port = Field(default=25, description="Its port.")
    relay_tls: Literal["no", "starttls", "tls"] = Field(
        default="no", description="TLS to it; certificates are checked."
    )
    relay_ca_file: str = Field(default="", description='Authority of its certificate; "": those of the system.')
    username: str = Field(default="", description="For SMTP AUTH, where it asks.")
    password: str = Field(default="", repr=False, description="Likewise.")
    connections: int = Field(default=4, ge=1, le=100, description="Connections to it at most.")
    listen_host: str = Field(default="127.0.0.1", description="Where mail for our users is brought.")
    listen_port: Port = Field(default=2526, description="The port; 0: a free one.")
    listen_tls: Literal["no", "starttls", "tls"] = Field(
        default="no", description="TLS for those who bring it: offered (starttls), or from the first octet (tls)."
    )
    tls_certificate: str = Field(default="", description="Certificate file (PEM) for it.")
    tls_key: str = Field(default="", description="Its key.")
    trusted: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description='Relays that may bring mail: addresses and prefixes ("10.1.0.0/16").'
    )
    max_mail: int = Field(default=12 << 20, ge=10_000, description="Octets of a mail that is taken.")
    max_size: int = Field(default=8 << 20, ge=10_000, description="Octets of content that is sent; more is reduced.")
    max_connections: int = Field(default=50, ge=1, description="Connections of relays at most.")
    delivery_reports: Literal["always", "asked", "never"] = Field(
        default="always", description="Whether the relay is asked to tell of delivery (RFC 3461), where it can."
    )
    read_reports: Literal["asked", "never"] = Field(
        default="asked", description="Whether readers are asked to tell that they have read (RFC 8098)."
    )
    mdn_to_display: bool = Field(
        default=True, description="What a reader says by hand to have read is displayed; what programs say is not."
    )
    display_to_mdn: bool = Field(
        default=False, description="What our users have read is told to the sender of a mail that asks for it."
    )
    hops: int = Field(default=20, ge=1, description="Received headers above which a mail is a loop.")
    kept: Positive = Field(default=7 * 86400.0, description="Seconds during which reports about mail may go.")
    in_hand: int = Field(default=500, ge=1, description="Messages kept in hand; more are refused as congestion.")
    retry_min: Positive = Field(default=1.0, description="First pause before a lost relay is tried; it doubles.")
    retry_max: Positive = Field(default=60.0, description="Longest pause.")

    @field_validator("trusted")
    @classmethod
    def _networks(cls, trusted: tuple[str, ...]) -> tuple[str, ...]:
        networks(trusted)
        return trusted

    @model_validator(mode="after")
    def _together(self) -> Any:
        if self.listen_tls != "no" and not (self.tls_certificate and self.tls_key):
            raise ValueError("listen_tls needs tls_certificate and tls_key")
        return self

    @property
    def system_address(self) -> str:
        return f"{self.system_user}@{self.domain}"
