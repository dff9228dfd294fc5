"""What the operator says about the MSN network (`[networks.<name>]` with `type = "msn"`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from opencpm.protocols.msnp import commands, dialects
from opencpm.protocols.msnp.challenge import Product
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.settings.kinds import Seconds, Section

Number = Annotated[int, Field(ge=dialects.OLDEST, le=dialects.NEWEST)]


class MsnSettings(Section):
    """One MSN service, or one that speaks its protocol."""

    type: Literal["msn"] = Field(default="msn", description="Which kind of network this is.")
    server: str = Field(description='Notification server: "messenger.example.com:1863".')
    tls: bool = Field(default=False, description="The notification server and switchboards speak TLS.")
    switchboard: str = Field(
        default="", description="Switchboard server, where the one that the service names cannot be reached."
    )
    protocol: Literal["auto"] | Number = Field(
        default="auto",
        description="Protocol version, 2 to 18; auto offers 18, 15, 12 and 8, as far as their web addresses are given.",
    )
    nexus_url: str = Field(
        default="", description='Where logins of versions 8 to 12 begin: "https://nexus.example.com/rdr/pprdr.asp".'
    )
    login_url: str = Field(default="", description="Login address of versions 8 to 12, where there is no nexus.")
    token_url: str = Field(
        default="", description='Token service of versions 13 to 18: "https://login.example.com/RST.srf".'
    )
    contacts_url: str = Field(
        default="", description='Address book service of versions 13 to 18: "https://contacts.example.com".'
    )
    oim_url: str = Field(
        default="", description='Where offline messages are left (versions 11 to 17): "https://ows.example.com".'
    )
    rsi_url: str = Field(default="", description='Where offline messages are fetched: "https://rsi.example.com".')
    verify_tls: bool = Field(default=True, description="Check the certificates of all these.")
    ca_file: str = Field(default="", description="File with certificates to trust besides the system's, PEM.")
    product_id: str = Field(default="", description="Product id for challenges; empty: that of the version.")
    product_key: str = Field(default="", description="The key that goes with it.")

    incoming: Literal["session", "message"] = Field(
        default="session", description="What a conversation that a buddy opens becomes on the subscriber's side."
    )
    busy: Literal["refuse", "ring"] = Field(
        default="refuse", description='A session request to somebody whose status is "busy": refuse it, or ring.'
    )
    long_text: Literal["split", "chunk"] = Field(
        default="split", description="Long texts: several messages, or chunks where the receiver takes them."
    )
    offline_messages: bool = Field(
        default=True, description="Leave messages for people who are offline with the service, where it keeps them."
    )
    add_contacts: bool = Field(
        default=True, description="Put people who are written to on the account's contact list, to see their status."
    )
    allow_contacts: bool = Field(
        default=False, description="Let people who add the account see and call it without asking its user."
    )
    nudge_text: str = Field(default="(nudge)", max_length=200, description="What a nudge reads like; empty: nothing.")
    max_file_bytes: int = Field(
        default=1 << 20, ge=0, le=16 << 20, description="Largest file taken from buddies, bytes; 0: none is taken."
    )
    no_files_text: str = Field(
        default="I cannot receive that file here; please send text.",
        max_length=400,
        description="Told once per conversation to somebody whose file is not taken; empty: nothing.",
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
    sign_ons_at_a_time: int = Field(default=20, ge=1, description="Accounts signing in at a time.")
    sign_ons_per_second: float = Field(default=20.0, ge=0, description="Accounts beginning to sign in; 0: no limit.")
    switchboard_interval: Seconds = Field(
        default=1.0, description="Least time between two new switchboards of an account, seconds."
    )
    switchboards_opening: int = Field(default=5, ge=1, description="Switchboards set up at a time, per account.")

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the dialects to offer, best first."""
        if self.protocol != "auto":
            return (f"MSNP{self.protocol}",)
        return tuple(name for name in dialects.OFFERED if self._possible(dialects.ALL[name]))

    @property
    def product(self) -> Product | None:
        return Product(self.product_id, self.product_key) if self.product_id else None

    def keeps_offline(self, dialect: int) -> bool:
        """Whether messages for people who are offline can be left with the service in this dialect."""
        if not self.offline_messages or not dialects.offline_messages(dialect):
            return False
        return dialects.offline_by_command(dialect) or bool(self.oim_url)

    def _possible(self, dialect: int) -> bool:
        if dialects.login(dialect) is dialects.Login.MD5:
            return True
        if dialects.tickets_from_rst(dialect):
            return bool(self.token_url and self.contacts_url)
        return bool(self.nexus_url or self.login_url)

    @field_validator("server", "switchboard")
    @classmethod
    def _server(cls, value: str) -> str:
        try:
            if value:
                commands.endpoint(value)
        except MsnpError:
            raise ValueError(f'{value!r} is not a server; write "host" or "host:port"') from None
        return value

    @field_validator("nexus_url", "login_url", "token_url", "contacts_url", "oim_url", "rsi_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} is not an address; write https://…")
        return value

    @model_validator(mode="after")
    def _login_is_possible(self) -> MsnSettings:
        if self.protocol == "auto" and not self.offered:
            raise ValueError("no login is possible; write nexus_url, or token_url and contacts_url, or protocol = 2")
        if self.protocol != "auto" and not self._possible(self.protocol):
            needed = "token_url and contacts_url" if self.protocol >= 13 else "nexus_url"
            raise ValueError(f"protocol {self.protocol} needs {needed}")
        return self
