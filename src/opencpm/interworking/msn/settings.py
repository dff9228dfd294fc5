"""What the operator says about the MSN network (`[networks.<name>]` with `type = "msn"`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.settings.kinds import Seconds, Section


class MsnSettings(Section):
    """One MSN service, or one that speaks its protocol."""

    type: Literal["msn"] = Field(default="msn", description="Which kind of network this is.")
    server: str = Field(description='Notification server: "messenger.example.com:1863".')
    nexus_url: str = Field(description='Where logins begin: "https://nexus.example.com/rdr/pprdr.asp".')
    login_url: str = Field(default="", description="Login address, where the service has no nexus.")
    dialects: tuple[Literal["MSNP12", "MSNP8"], ...] = Field(
        default=("MSNP12", "MSNP8"), min_length=1, description="Dialects offered, best first."
    )
    verify_tls: bool = Field(default=True, description="Check the certificates of nexus and login.")
    ca_file: str = Field(default="", description="File with certificates to trust besides the system's, PEM.")

    incoming: Literal["session", "message"] = Field(
        default="session", description="What a conversation that a buddy opens becomes on the subscriber's side."
    )
    busy: Literal["refuse", "ring"] = Field(
        default="refuse", description='A session request to somebody whose status is "busy": refuse it, or ring.'
    )
    long_text: Literal["split", "chunk"] = Field(
        default="split", description="Long texts: several messages, or chunks where the receiver takes them."
    )
    add_contacts: bool = Field(
        default=True, description="Put people who are written to on the account's contact list, to see their status."
    )
    allow_contacts: bool = Field(default=True, description="Let people who add the account see and call it.")
    nudge_text: str = Field(default="(nudge)", max_length=200, description="What a nudge reads like; empty: nothing.")
    no_files_text: str = Field(
        default="I cannot receive files here; please send text.",
        max_length=400,
        description="Told once per conversation to somebody who offers a file; empty: nothing.",
    )
    max_message_bytes: int = Field(default=65536, ge=400, description="Longest text taken, bytes.")

    connect_timeout: Seconds = Field(default=10.0, gt=0, description="For each connection, seconds.")
    step_timeout: Seconds = Field(default=30.0, gt=0, description="For each answer during login, seconds.")
    join_timeout: Seconds = Field(default=30.0, gt=0, description="How long an invited buddy may take, seconds.")
    ack_timeout: Seconds = Field(default=60.0, gt=0, description="How long a message waits for its ACK, seconds.")
    idle_timeout: Seconds = Field(default=300.0, gt=0, description="Switchboards without a word are closed, seconds.")
    reconnect_first: Seconds = Field(default=2.0, gt=0, description="First pause after a lost connection, seconds.")
    reconnect_max: Seconds = Field(default=300.0, gt=0, description="Longest pause (each is twice the last), seconds.")
    stable_after: Seconds = Field(default=300.0, description="A sign-on that lasted so long resets the pause, seconds.")
    wrong_password_retry: Seconds = Field(
        default=3600.0, gt=0, description="Pause after a refused password, seconds; a new password is tried at once."
    )
    sign_ons_at_a_time: int = Field(default=20, ge=1, description="Accounts signing in at a time.")
    switchboard_interval: Seconds = Field(
        default=1.0, description="Least time between two new switchboards of an account, seconds."
    )
    switchboards_opening: int = Field(default=5, ge=1, description="Switchboards set up at a time, per account.")

    @field_validator("server")
    @classmethod
    def _server(cls, value: str) -> str:
        try:
            commands.endpoint(value)
        except MsnpError:
            raise ValueError(f'{value!r} is not a server; write "host" or "host:port"') from None
        return value

    @field_validator("nexus_url", "login_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} is not an address; write https://…")
        return value
