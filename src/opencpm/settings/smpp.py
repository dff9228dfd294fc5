"""ESMEs that bind to us: where we listen for them, and on which terms they work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from opencpm.settings.kinds import Port, Seconds, Section


class SmppListener(Section):
    """One address on which ESMEs are awaited."""

    host: str = Field(default="127.0.0.1", description='Address to listen on; "0.0.0.0" or "::" for all.')
    port: Port = Field(default=2775, description="Port; 0 for any free one.")
    tls: bool = Field(default=False, description="SMPP over TLS (usually port 3550); needs a certificate.")
    max_connections: int = Field(default=1000, ge=1, description="Connections at a time.")
    bind_timeout: Annotated[float, Field(gt=0)] = Field(
        default=10.0, description="How long a connection may be without a bind, seconds."
    )


class SmppTerms(Section):
    """What one account may do, and the habits of its ESME."""

    window: int = Field(default=10, ge=1, le=10000, description="deliver_sm without a response, on each connection.")
    pending: int = Field(
        default=1000, ge=1, description="Submits that wait for our response; one more gets ESME_RMSGQFUL."
    )
    rate: float = Field(
        default=0.0, ge=0, description="Submits (segments) a second; more get ESME_RTHROTTLED. 0: no limit."
    )
    burst: int = Field(default=0, ge=0, description="Submits at once beyond the rate; 0: those of one second.")
    deliver_rate: float = Field(default=0.0, ge=0, description="deliver_sm a second at most; 0: no limit.")
    queue: int = Field(default=5000, ge=1, description="Messages and receipts in hand for the ESME.")
    max_binds: int = Field(default=10, ge=1, description="Bound connections at a time.")
    senders: tuple[str, ...] = Field(
        default=(), description="Which of the user's addresses it may send from; left out: all of them."
    )
    pushes: bool = Field(
        default=False,
        description="It is an MMS centre: it may send WAP pushes to phones (port 2948), which take them as word of an "
        "MMS, and is given those that come to its number.",
    )
    default_alphabet: Literal["gsm7", "gsm7-packed", "latin1", "ascii"] = Field(
        default="gsm7", description="What data_coding 0 means to this ESME."
    )
    ucs2_little_endian: bool = Field(default=False, description="It sends UCS-2 with swapped octets.")
    long_messages: Literal["segments", "payload"] = Field(
        default="segments", description="How long text is delivered: cut, or whole in message_payload (3.4)."
    )
    receipts: Literal["both", "text", "tlv"] = Field(
        default="both", description="The form of delivery receipts; a 3.3 ESME gets text."
    )
    enquire_link: Seconds = Field(default=60.0, description="Quiet time before asking whether the ESME is there.")
    response_timeout: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="How long to wait for a deliver_sm_resp, seconds."
    )
    inactivity: Seconds = Field(
        default=0.0, description="Without a message for so long the ESME is unbound, seconds; 0: never."
    )


class SmppSettings(Section):
    """ESMEs as devices of subscribers: an account is a user, system_id is the user's id."""

    enabled: bool = Field(default=False, description="Let ESMEs bind.")
    listeners: tuple[SmppListener, ...] = Field(
        default=(SmppListener(),), min_length=1, max_length=16, description="Where ESMEs are awaited."
    )
    tls_certificate: str = Field(default="", description="File with the certificate chain, PEM.")
    tls_key: str = Field(default="", description="File with its private key, PEM.")
    system_id: str = Field(default="opencpm", max_length=15, description="What we call ourselves to an ESME.")
    only_listed: bool = Field(default=False, description="Only users named under accounts may bind.")
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that ESMEs write: "44".'
    )
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,2}$", description="Cut off national numbers.")
    plain_is_international: bool = Field(
        default=True, description="Ten or more digits of unknown type are an international number."
    )
    reassembly_timeout: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="How long to wait for a missing segment, seconds."
    )
    terms: SmppTerms = Field(default=SmppTerms(), description="Of every account ([smpp.terms]).")
    accounts: dict[str, SmppTerms] = Field(
        default={}, description="What is different for one user ([smpp.accounts.<user id>])."
    )

    @model_validator(mode="after")
    def _certificate(self) -> SmppSettings:
        if any(one.tls for one in self.listeners) and not (self.tls_certificate and self.tls_key):
            raise ValueError("a listener with tls needs tls_certificate and tls_key; write both, or turn it off")
        return self

    def terms_of(self, account: str) -> SmppTerms | None:
        """The terms of a user; None: not listed, and only those listed may bind."""
        own = self.accounts.get(account)
        if own is None:
            return None if self.only_listed else self.terms
        return self.terms.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
