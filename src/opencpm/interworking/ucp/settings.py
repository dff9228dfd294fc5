"""Settings of an SMS network over UCP: its link and the habits of the centre, all as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.originator import encode_name
from opencpm.protocols.ucp.session import MAX_WINDOW

Seconds = Annotated[float, Field(ge=0)]
Digits = Annotated[str, Field(pattern=r"^[0-9]{0,4}$")]


class UcpSettings(BaseModel):
    """``[networks.<name>]`` with ``type = "ucp"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["ucp"] = "ucp"
    label: str = Field(default="SMS", description="For people.")
    host: str = Field(default="127.0.0.1", description="Host of the SMS centre.")
    port: int = Field(default=3000, ge=1, le=65535, description="Its port; UCP has no usual one.")
    tls: bool = Field(default=False, description="TLS; the centre's certificate is checked.")
    tls_ca: str = Field(default="", description="File with the certificates to trust, PEM; left out: the system's.")
    tls_name: str = Field(default="", description="Name in the centre's certificate, if it is not host.")
    session: bool = Field(default=True, description="Log in (operation 60); false: the centre knows us otherwise.")
    account: str = Field(
        default="opencpm",
        pattern=r"^[!-.0-~]{1,16}$",
        description="Short code or user name at the centre (OAdC of 60).",
    )
    password: str = Field(default="", max_length=16, repr=False, description="Its password.")
    authentication_code: str = Field(
        default="", pattern=r"^[!-.0-~]{0,16}$", repr=False, description="AC, where there is no session."
    )
    oton: Digits = Field(default="6", description="Type of the account: 6 short code or name, 1 international number.")
    onpi: Digits = Field(default="5", description="Its numbering plan: 5 private, 1 E.164, 3 X.121.")
    opid: Digits = Field(default="", description='Where the centre wants one: "39" is an application.')
    window: int = Field(
        default=10, ge=1, le=MAX_WINDOW, description="Operations without a result; agreed with the operator, often 1."
    )
    rate: float = Field(default=0.0, ge=0, description="Segments a second at most; 0: as fast as they are taken.")
    apart: Seconds = Field(
        default=1.0,
        description="Seconds between two submits to one number: UCP names a message by number and second. "
        "0 where the centre never gives the same second twice.",
    )
    keep_alive: Seconds = Field(default=30.0, description="Quiet time before asking whether the centre is there.")
    result_timeout: Annotated[float, Field(gt=0)] = Field(default=30.0, description="How long to wait for a result.")
    amsg: Literal["gsm", "ira"] = Field(
        default="gsm", description="What the codes of a text mean: the GSM alphabet, or at older centres ASCII."
    )
    timezone: str = Field(default="UTC", description='The centre\'s time, for validity periods: "Europe/Berlin".')
    source: str = Field(
        default="", description='Sender of all messages (number, short code or name); "": the sender\'s own number.'
    )
    fallback_source: str = Field(default="", description="Sender for those who have no number of their own.")
    destination_prefix: str = Field(
        default="", pattern=r"^[0-9]{0,4}$", description='Before international numbers: "00" at some centres.'
    )
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that the centre sends: "44".'
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
        default="always", description="Delivery notifications: always, when the sender asked, or never."
    )
    buffered: bool = Field(default=False, description="Also ask to be told that a message waits for the phone.")
    max_validity: Seconds = Field(default=72 * 3600.0, description="Longest validity that the centre takes, seconds.")
    queue: int = Field(default=5000, ge=1, description="Messages kept in hand; more are refused as congestion.")
    reassembly_timeout: Seconds = Field(default=300.0, description="How long to wait for a missing segment.")
    reconnect_min: Seconds = Field(default=1.0, description="First pause before connecting again; it doubles.")
    reconnect_max: Seconds = Field(default=60.0, description="Longest pause.")
    login_retry: Seconds = Field(default=60.0, description="First pause after a refused login (accounts get locked).")

    @field_validator("source", "fallback_source")
    @classmethod
    def _sender(cls, source: str) -> str:
        bare = source.strip()
        number = bare.removeprefix("+")
        if not bare or (number.isascii() and number.isdecimal() and len(number) <= 16):
            return bare
        try:
            encode_name(bare)
        except UcpError:
            raise ValueError(f"{source!r} is no sender; write a number or a name of at most 11 letters") from None
        return bare

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            raise ValueError(f'{name!r} is no time zone; write one like "Europe/Berlin"') from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def read(settings: Any) -> UcpSettings:
    """Validate the section. Raises ValueError with one line per mistake."""
    try:
        return UcpSettings.model_validate(dict(settings))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'ucp'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(lines)) from None
