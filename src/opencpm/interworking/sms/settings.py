"""Settings of an SMS network: its links to SMSCs and the habits of the peer, all as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Seconds = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkSettings(_Section):
    """One connection to an SMSC."""

    host: str = Field(default="127.0.0.1", description="Host of the SMSC; with outbind, our address to listen on.")
    port: int = Field(default=2775, ge=0, le=65535, description="Its port; with outbind, ours (0: any free one).")
    tls: bool = Field(default=False, description="TLS; the SMSC's certificate is checked.")
    tls_ca: str = Field(default="", description="File with the certificates to trust, PEM; left out: the system's.")
    tls_name: str = Field(default="", description="Name in the SMSC's certificate, if it is not host.")
    tls_certificate: str = Field(
        default="", description="File with our own certificate, PEM, where the SMSC wants one; with outbind always."
    )
    tls_key: str = Field(default="", description="File with its private key, PEM.")
    outbind: bool = Field(default=False, description="The SMSC connects to us and asks for the bind (outbind).")
    outbind_system_id: str = Field(
        default="", max_length=15, description="What the SMSC must call itself in an outbind; left out: anything."
    )
    outbind_password: str = Field(
        default="", max_length=8, repr=False, description="The password it must give in an outbind."
    )
    system_id: str = Field(default="opencpm", min_length=1, max_length=15, description="Account at the SMSC.")
    password: str = Field(default="", max_length=8, repr=False, description="Its password.")
    account: str = Field(
        default="",
        max_length=64,
        description="Links with the same account share message ids and account_rate; left out: the system_id. For a "
        "transmitter and a receiver that log in under two names.",
    )
    system_type: str = Field(default="", max_length=12, description="Where the SMSC wants one.")
    bind: Literal["transceiver", "transmitter", "receiver"] = Field(
        default="transceiver", description="Two links, transmitter and receiver, are the way of SMPP 3.3."
    )
    version: Literal["3.3", "3.4", "5.0"] = Field(default="3.4", description="SMPP version to announce.")
    window: int = Field(default=10, ge=1, le=10000, description="Requests without an answer; agreed with the operator.")
    rate: float = Field(default=0.0, ge=0, description="Segments a second at most; 0: as fast as they are taken.")
    account_rate: float = Field(
        default=0.0, ge=0, description="Segments a second over all links of this account together; 0: no limit."
    )
    enquire_link: Seconds = Field(default=30.0, description="Quiet time before asking whether the SMSC is there.")
    response_timeout: Seconds = Field(default=30.0, description="How long to wait for a response.")
    default_alphabet: Literal["gsm7", "gsm7-packed", "latin1", "ascii"] = Field(
        default="gsm7", description="What data_coding 0 means to this SMSC; in what we send, to that of the first link."
    )
    ucs2_little_endian: bool = Field(default=False, description="Its UCS-2 has swapped octets.")
    receipt_id: Literal["auto", "same", "hex2dec", "dec2hex"] = Field(
        default="auto", description="How a receipt's id relates to the response's: hex2dec: hex there, decimal here."
    )
    untyped_receipts: bool = Field(
        default=False, description="It sends receipts whose esm_class says nothing: believe their text."
    )

    @property
    def account_name(self) -> str:
        """What message ids and rates go by."""
        return self.account or self.system_id

    @model_validator(mode="after")
    def _certificates(self) -> LinkSettings:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together; write both, or none")
        if self.outbind and self.tls and not self.tls_certificate:
            raise ValueError("outbind over TLS needs tls_certificate and tls_key")
        if self.outbind and self.version == "3.3":
            raise ValueError('outbind is of SMPP 3.4; write version = "3.4"')
        if not self.outbind and not self.port:
            raise ValueError("port 0 is for outbind only")
        return self


class SmsSettings(_Section):
    """``[networks.<name>]`` with ``type = "sms"``. Settings of a link may stand here if there is only one."""

    type: Literal["sms"] = "sms"
    label: str = Field(default="SMS", description="For people.")
    links: tuple[LinkSettings, ...] = Field(min_length=1, max_length=16, description="Connections that share the work.")
    source: str = Field(
        default="", description='Sender of all messages (number, short code or name); "": the sender\'s own number.'
    )
    fallback_source: str = Field(default="", description="Sender for those who have no number of their own.")
    source_ton: int | None = Field(default=None, ge=0, le=7, description="TON of the sender; left out: by its form.")
    source_npi: int | None = Field(default=None, ge=0, le=18, description="NPI of the sender; left out: by its form.")
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that the SMSC sends: "44".'
    )
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,2}$", description="Cut off national numbers.")
    plain_is_international: bool = Field(
        default=True, description="Ten or more digits of unknown type are an international number."
    )
    number_types: frozenset[Literal["mobile", "fixed", "unknown"]] = Field(
        default=frozenset({"mobile", "fixed", "unknown"}), description="Which numbers this network serves."
    )
    max_segments: int = Field(default=10, ge=1, le=255, description="Segments of one message at most.")
    reference_bits: Literal[8, 16] = Field(default=8, description="Width of the reference of long messages.")
    long_messages: Literal["header", "sar", "payload"] = Field(
        default="header",
        description="How a long text goes: cut, with a user data header or with sar_ parameters; or whole in "
        "message_payload (both of SMPP 3.4).",
    )
    alphabets: Literal["both", "gsm7", "ucs2"] = Field(
        default="both",
        description="What the network and its phones take; many fixed networks know the GSM alphabet only.",
    )
    languages: tuple[Annotated[int, Field(ge=1, le=13)], ...] = Field(
        default=(),
        description="National alphabets that receivers know: 1 Turkish, 2 Spanish, 3 Portuguese, 4 Bengali, "
        "5 Gujarati, 6 Hindi, 7 Kannada, 8 Malayalam, 9 Odia, 10 Punjabi, 11 Tamil, 12 Telugu, 13 Urdu.",
    )
    transliteration: Literal["off", "typographic", "latin"] = Field(
        default="typographic", description="What may be simplified to spare segments."
    )
    receipts: Literal["always", "asked", "never"] = Field(
        default="always", description="Delivery receipts: always, when the sender asked, or never."
    )
    max_validity: Seconds = Field(default=72 * 3600.0, description="Longest validity that the SMSC takes, seconds.")
    queue: int = Field(default=5000, ge=1, description="Messages kept in hand; more are refused as congestion.")
    reassembly_timeout: Seconds = Field(default=300.0, description="How long to wait for a missing segment.")
    reconnect_min: Seconds = Field(default=1.0, description="First pause before connecting again; it doubles.")
    reconnect_max: Seconds = Field(default=60.0, description="Longest pause.")
    login_retry: Seconds = Field(default=60.0, description="First pause after a refused login (accounts get locked).")

    @model_validator(mode="before")
    @classmethod
    def _one_link(cls, values: Any) -> Any:
        """Without ``links``, the settings of a link that stand here are the one link's."""
        if not isinstance(values, dict) or "links" in values:
            return values
        names = LinkSettings.model_fields.keys() & values.keys()
        link = {name: values[name] for name in names}
        return {**{name: value for name, value in values.items() if name not in names}, "links": [link]}

    @model_validator(mode="after")
    def _parameters(self) -> SmsSettings:
        if self.long_messages == "header":
            return self
        if any(link.version == "3.3" for link in self.links):
            raise ValueError(f'long_messages = "{self.long_messages}" needs version = "3.4" or "5.0"')
        if self.languages:
            raise ValueError('languages are named in the user data header; they need long_messages = "header"')
        return self

    @field_validator("source", "fallback_source")
    @classmethod
    def _sender(cls, source: str) -> str:
        bare = source.strip()
        number = bare.removeprefix("+").isdecimal()
        if len(bare) > (16 if number else 11) or not bare.isascii():
            raise ValueError(f"{source!r} is no sender; write a number or a name of at most 11 letters")
        return bare


def read(settings: Any) -> SmsSettings:
    """Validate the section. Raises ValueError with one line per mistake."""
    try:
        return SmsSettings.model_validate(dict(settings))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'sms'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(lines)) from None
