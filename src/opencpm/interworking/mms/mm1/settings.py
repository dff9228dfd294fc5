"""Settings of MM1: where phones reach us, how they are known, and what they take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from opencpm.interworking.mms.settings import MmsSettings, Seconds
from opencpm.media import ContentClass
from opencpm.transport.smtp_listener import networks

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]


class Mm1Settings(MmsSettings):
    """The MMS centre of phones."""

    listen_host: str = Field(default="127.0.0.1", description="Where the operator's gateway brings what phones ask.")
    listen_port: Port = Field(default=8002, description="The port; 0: a free one.")
    path: str = Field(
        default="/mms", pattern=r"^/[A-Za-z0-9/_-]{0,60}$", description="The path that phones post to, and fetch under."
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description='The same as phones see it: "http://mms.operator.example/mms"; "": as it listens.',
    )
    tls_certificate: str = Field(default="", description="Certificate file (PEM), for HTTPS.")
    tls_key: str = Field(default="", description="Its key.")
    trusted: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description="The gateways: only from these addresses is anything taken."
    )
    number_header: str = Field(
        default="X-MSISDN",
        pattern=r"^[A-Za-z0-9-]{1,60}$",
        description="The header in which the gateway says whose phone it is; of its own in phones' requests it lets "
        "none through.",
    )
    prefixes: tuple[str, ...] = Field(default=(), description='Numbers of our phones ("+1202"). Left out: all.')
    notify_network: str = Field(
        default="sms", description="The network that carries notifications (WAP push); it needs a sender of its own."
    )
    domain: str = Field(default="mms.localhost", pattern=r"^[A-Za-z0-9.-]{1,200}$", description="In message ids.")
    user_agents: dict[str, ContentClass] = Field(
        default={},
        description="Classes of phones by a piece of their User-Agent or profile (UAProf), the longest counts: "
        '{"SonyEricssonT610" = "image-basic"}.',
    )
    max_post: int = Field(default=1 << 20, ge=10_000, description="Octets of a message that a phone sends.")
    notify_again: tuple[Positive, ...] = Field(
        default=(3600.0, 21600.0, 86400.0),
        description="Seconds after which a phone that has not answered is notified again.",
    )
    display_to_read: bool = Field(
        default=False, description="What our users have read is told to the phone, where it asked for it."
    )
    at_once: int = Field(default=32, ge=1, description="Requests of phones in hand; more are told to come again.")
    kept: Seconds = Field(
        default=7 * 86400.0, description="Seconds during which reports about what phones sent may go."
    )

    @field_validator("trusted")
    @classmethod
    def _networks(cls, trusted: tuple[str, ...]) -> tuple[str, ...]:
        networks(trusted)
        return trusted

    @field_validator("path")
    @classmethod
    def _without_end(cls, path: str) -> str:
        return path.rstrip("/")
