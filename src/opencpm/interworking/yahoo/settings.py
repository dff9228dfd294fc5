"""What the operator says about the Yahoo network (`[networks.<name>]` with `type = "yahoo"`)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from opencpm.protocols.ymsg import services
from opencpm.settings.kinds import Seconds, Section

PORT = 5050


class YahooSettings(Section):
    """One service that speaks YMSG."""

    type: Literal["yahoo"] = Field(default="yahoo", description="Which kind of network this is.")
    server: str = Field(description='Where it listens: "messenger.example.com:5050".')
    domain: str = Field(
        default="yahoo.com",
        min_length=1,
        max_length=200,
        description="What follows the ids in addresses: bob on the wire is yahoo:bob@yahoo.com here.",
    )
    version: int = Field(
        default=10,
        ge=services.VERSIONS[0],
        le=services.VERSIONS[-1],
        description="Protocol version, 9 to 16; 15 and 16 sign in by way of login_url.",
    )
    login_url: str = Field(default="", description='Login host of versions 15 and 16: "https://login.example.com".')
    verify_tls: bool = Field(default=True, description="Check the login host's certificate.")
    ca_file: str = Field(default="", description="File with certificates to trust besides the system's, PEM.")
    whole_cookies: bool = Field(
        default=True, description="Hand cookies on with their attributes; some servers want them without."
    )
    client_build: str = Field(
        default="", max_length=60, description="Which client to sign in as; empty: one that fits the version."
    )

    group: str = Field(
        default="Friends", min_length=1, max_length=60, description="Group of the list for people who are added."
    )
    incoming: Literal["message", "session"] = Field(
        default="message", description="What a text outside of any session becomes: a message, or a session's first."
    )
    conferences: Literal["join", "decline"] = Field(
        default="join", description="Invitations to conferences: pass them on, or decline them all."
    )
    busy: Literal["refuse", "ring"] = Field(
        default="refuse", description='A session request to somebody whose status is "busy": refuse it, or open it.'
    )
    offline_messages: bool = Field(
        default=True, description="Messages for people who are offline are left with the service, which keeps them."
    )
    add_contacts: bool = Field(
        default=False, description="Put people who are written to on the account's list: tells whether they exist."
    )
    allow_contacts: bool = Field(
        default=False, description="Accept everybody who adds the account, without asking its user."
    )
    nudge_text: str = Field(default="(nudge)", max_length=200, description="What a buzz reads like; empty: nothing.")
    no_files_text: str = Field(
        default="I cannot receive files here; please send text.",
        max_length=400,
        description="Told once per conversation to somebody who offers a file; empty: nothing.",
    )
    file_links: bool = Field(
        default=True, description="Addresses of files that the service keeps are passed on as text, as they are."
    )
    no_conference_text: str = Field(
        default="I cannot join now.", max_length=400, description="Told to who invites to a conference in vain."
    )
    goodbye_text: str = Field(
        default="", max_length=400, description="Written when a session is closed on our side; empty: nothing."
    )
    max_message_bytes: int = Field(default=16384, ge=400, description="Longest text taken, bytes.")
    messages_per_second: float = Field(
        default=5.0, ge=0, description="Texts sent by an account in a second, on average; 0: no limit."
    )
    burst: int = Field(default=20, ge=1, description="Texts sent by an account at once.")

    confirm: Literal["auto", "never"] = Field(
        default="auto", description="Count a text as taken once the server has answered a keepalive sent behind it."
    )
    confirm_timeout: Seconds = Field(default=10.0, gt=0, description="How long to wait for that answer, seconds.")
    connect_timeout: Seconds = Field(default=10.0, gt=0, description="For each connection, seconds.")
    step_timeout: Seconds = Field(
        default=30.0, gt=0, description="For each answer during login, and to changes of the list, seconds."
    )
    idle_timeout: Seconds = Field(
        default=900.0, gt=0, description="Sessions without a word are closed after so long, seconds."
    )
    reconnect_first: Seconds = Field(default=2.0, gt=0, description="First pause after a lost connection, seconds.")
    reconnect_max: Seconds = Field(default=300.0, gt=0, description="Longest pause (each is twice the last), seconds.")
    stable_after: Seconds = Field(default=300.0, description="A sign-on that lasted so long resets the pause, seconds.")
    sign_ons_at_a_time: int = Field(default=20, ge=1, description="Accounts signing in at a time.")
    sign_ons_per_second: float = Field(default=20.0, ge=0, description="Accounts beginning to sign in; 0: no limit.")

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port of the server."""
        return _endpoint(self.server)

    @property
    def build(self) -> str:
        """Key 135: which client we are."""
        recorded = "5, 5, 0, 1237"
        return self.client_build or (recorded if self.version < services.RECORDS else "9.0.0.2162")

    @field_validator("server")
    @classmethod
    def _server(cls, value: str) -> str:
        _endpoint(value)
        return value

    @field_validator("domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        if "@" in value or any(c.isspace() for c in value):
            raise ValueError(f"{value!r} is not a domain")
        return value.lower()

    @field_validator("login_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} is not an address; write https://…")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _login_is_possible(self) -> YahooSettings:
        if self.version >= services.RECORDS and not self.login_url:
            raise ValueError(f"version {self.version} needs login_url")
        return self


def _endpoint(value: str) -> tuple[str, int]:
    """:raises ValueError: not a server."""
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or "@" in value or port == 0:
        raise ValueError(f'{value!r} is not a server; write "host" or "host:port"')
    return host, port or PORT
