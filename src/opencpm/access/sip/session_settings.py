"""Settings of sessions over MSRP: the table `sessions` of the SIP access."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SessionSettings"]


class SessionSettings(BaseModel):
    """Sessions of devices (SIP INVITE and MSRP)."""

    model_config = ConfigDict(extra="forbid")

    msrp_host: str = Field("127.0.0.1", description="Address on which MSRP is listened for.")
    msrp_port: int = Field(2855, ge=0, le=65535, description="Port for MSRP over TCP; 0 takes a free one.")
    msrps_port: int | None = Field(
        None, ge=0, le=65535, description="Port for MSRP over TLS (needs the certificate of the SIP access); none: off."
    )
    msrp_address: str = Field("", description="Host name or address that our MSRP paths name; empty: the host.")
    verify_msrps: bool = Field(
        False, description="Check the certificate of a device that listens for MSRP over TLS (most have their own)."
    )
    max_sessions: int = Field(10_000, ge=1, description="Sessions at a time; above it 503.")
    max_message: int = Field(10_485_760, ge=2048, description="Octets of one message in a session; above it MSRP 413.")
    ring: float = Field(120.0, gt=0, description="Seconds for which devices ring before 480.")
    idle: float = Field(300.0, gt=0, description="Seconds without traffic after which a session is closed.")
    grace: float = Field(30.0, ge=0, description="Seconds for a device to come back after its MSRP connection broke.")
    linger: float = Field(2.0, ge=0, description="Seconds for messages under way when a session is closed.")
    expires: int = Field(1800, ge=90, description="Session-Expires of our invitations (RFC 4028).")
    min_expires: int = Field(90, ge=90, description="Smallest Session-Expires taken; below it 422.")
