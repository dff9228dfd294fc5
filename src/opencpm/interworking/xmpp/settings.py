"""Settings of an XMPP network: the server whose component we are, and how people are shown there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from opencpm.protocols.xmpp import jid
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.settings.kinds import Seconds, Section


class XmppSettings(Section):
    """``[networks.<name>]`` with ``type = "xmpp"``."""

    type: Literal["xmpp"] = Field(default="xmpp", description="Which kind of network this is.")
    label: str = Field(default="XMPP", description="For people.")
    host: str = Field(
        default="127.0.0.1",
        description="Host of the XMPP server. The link is not encrypted (XEP-0114 knows no TLS): the same machine, "
        "or a tunnel.",
    )
    port: int = Field(default=5347, ge=1, le=65535, description="Its port for components.")
    component: str = Field(
        description='The component\'s domain as the XMPP server knows it: "cpm.example.org". Our users are '
        "alice@<component> to XMPP users.",
    )
    secret: str = Field(repr=False, min_length=1, description="The secret shared with the XMPP server.")
    users_domain: str = Field(
        default="",
        description="alice@<component> is sip:alice@<this domain>. Empty: who has the id alice here; people of other "
        "domains are user\\40domain@<component>.",
    )
    sessions: Literal["thread", "chat", "never"] = Field(
        default="thread",
        description="What of an XMPP user asks a subscriber for a session: a chat message with a thread, any chat "
        "message, or none (each is a message by itself).",
    )
    idle_timeout: Seconds = Field(
        default=900.0, description="A session in which nobody says a word for so long ends, seconds; 0: never."
    )
    rooms: tuple[str, ...] = Field(
        default=(),
        description='Domains of rooms (XEP-0045), as "rooms.example.org": a session with xmpp:room@<such a domain> '
        "joins the room.",
    )
    join_timeout: Seconds = Field(default=20.0, gt=0, description="How long a room may take to let us in, seconds.")
    receipts: bool = Field(default=True, description="Ask for receipts (XEP-0184) and markers (XEP-0333).")
    offline_storage: bool = Field(
        default=True, description="The servers of XMPP users keep messages for those who are away."
    )
    approve: Literal["ask", "always", "never"] = Field(
        default="ask",
        description="XMPP users who want to see a subscriber's status: ask the subscriber, allow it, or refuse it.",
    )
    add_contacts: bool = Field(
        default=True, description="Ask people who are written to for their status, to see when they are there."
    )
    nudge_text: str = Field(default="(nudge)", max_length=200, description="What a call for attention reads like.")
    correction_mark: str = Field(
        default="Correction: ", max_length=100, description="Put before a text that corrects an earlier one."
    )
    max_text_bytes: int = Field(default=65536, ge=400, description="Longest text sent, bytes.")
    max_stanza_bytes: int = Field(
        default=1 << 20, ge=10_000, description="Longest stanza taken; the link is closed for a longer one."
    )
    queue: int = Field(default=5000, ge=1, description="Messages sent and not confirmed; more are congestion.")
    inbound_queue: int = Field(
        default=2000, ge=1, description="Messages read and not stored yet; then nothing more is read for a moment."
    )
    connect_timeout: Seconds = Field(default=10.0, gt=0, description="For connecting and the handshake, seconds.")
    answer_timeout: Seconds = Field(
        default=30.0, gt=0, description="How long the server may take to confirm that it has what was sent, seconds."
    )
    keep_alive: Seconds = Field(default=60.0, gt=0, description="Quiet time before asking whether it is there.")
    reconnect_min: Seconds = Field(default=1.0, gt=0, description="First pause before connecting again; it doubles.")
    reconnect_max: Seconds = Field(default=60.0, gt=0, description="Longest pause.")
    refused_retry: Seconds = Field(
        default=60.0, gt=0, description="First pause after the server refused us (wrong secret, unknown component)."
    )
    stable_after: Seconds = Field(default=60.0, description="A link that lasted so long resets the pause, seconds.")

    @field_validator("component", "users_domain")
    @classmethod
    def _domain(cls, value: str) -> str:
        if not value:
            return ""
        try:
            known = jid.parse(value)
        except XmppError:
            raise ValueError(f'{value!r} is no domain; write one like "cpm.example.org"') from None
        if known.local or known.resource:
            raise ValueError(f'{value!r} is no domain; write one like "cpm.example.org"')
        return known.domain

    @field_validator("rooms")
    @classmethod
    def _room_domains(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cls._domain(value) for value in values)

    @field_validator("component")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value:
            raise ValueError('the domain of the component is missing, like "cpm.example.org"')
        return value


def read(settings: Any) -> XmppSettings:
    """Validate the section. Raises ValueError with one line per mistake."""
    try:
        return XmppSettings.model_validate(dict(settings))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'xmpp'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(lines)) from None
