"""Settings of SMS over telephone lines: the trunks, and the habits of lines and centres, all as data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from opencpm.protocols.fsk.events import Terms

Seconds = Annotated[float, Field(ge=0)]
Digits = Annotated[str, Field(pattern=r"^\+?[0-9]{0,20}$")]
_FULL_SCALE = 3.14  # dBm0 of the largest sine in A-law


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrunkSettings(_Section):
    """One SIP trunk, gateway or telephone account, and what we are on it."""

    name: str = Field(default="trunk", description="For the operator.")
    host: str = Field(default="127.0.0.1", description="Host of the trunk or gateway; calls are taken from no other.")
    port: int = Field(default=5060, ge=1, le=65535, description="Its SIP port (UDP).")
    role: Literal["centre", "terminal"] = Field(
        default="centre", description="centre: we are the SMS centre of lines; terminal: a line's phone at another one."
    )
    number: Digits = Field(
        default="", description="centre: the number that lines call and know us by; terminal: the number of our line."
    )
    centre: Digits = Field(default="", description="terminal: the number of the SMS centre that takes our texts.")
    centre_calls: tuple[Digits, ...] = Field(
        default=(), description="terminal: beginnings of the numbers the centre calls from; left out: its own number."
    )
    default_digit: str = Field(
        default="",
        pattern=r"^[0-9]?$",
        description="centre: sub-address put behind our number in calls to plain lines.",
    )
    subaddresses: bool = Field(
        default=False, description="centre: one digit too many on a number is the sub-address of a terminal."
    )
    protocol: Literal["auto", "1", "2"] = Field(
        default="auto", description="Of ES 201 912; auto: learned of each line by its first signal, and remembered."
    )
    calls: int = Field(default=30, ge=1, le=500, description="Calls at once.")
    laws: tuple[Literal["alaw", "ulaw"], ...] = Field(
        default=("alaw", "ulaw"), min_length=1, description="Companding laws to offer, the preferred one first."
    )
    user: str = Field(default="", max_length=64, description="Account, where the trunk asks for a password.")
    password: str = Field(default="", max_length=128, repr=False, description="Its password.")
    register_for: int = Field(
        default=0, ge=0, le=86400, description="Register the account for so many seconds, again and again; 0: do not."
    )
    keep_alive: Seconds = Field(default=30.0, description="Seconds between questions whether the trunk is there.")
    ring_timeout: Seconds = Field(default=30.0, description="How long a line may ring: a terminal answers at once.")
    answer_pause: Annotated[float, Field(ge=0.1, le=2.0)] = Field(
        default=0.3, description="Silence after we have picked up, before we say that we are ready."
    )
    establish_wait: Annotated[float, Field(ge=1, le=20)] = Field(
        default=4.0, description="How long a line that has picked up may take to say that it is ready."
    )
    level: Annotated[float, Field(ge=-30, le=0)] = Field(default=-13.0, description="What we send, dBm0.")
    jitter: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.2, description="How long a late packet is waited for, seconds; nothing is held back meanwhile."
    )
    call_limit: Annotated[float, Field(ge=5, le=300)] = Field(default=60.0, description="Longest call.")
    messages: int = Field(default=10, ge=1, le=100, description="Messages (segments) in one call at most.")

    @model_validator(mode="after")
    def _complete(self) -> TrunkSettings:
        if not self.number:
            raise ValueError("number: say which number is ours on this trunk")
        if self.role == "terminal" and not self.centre:
            raise ValueError("centre: say which number takes our texts")
        if self.register_for and not self.user:
            raise ValueError("user: say which account is to be registered")
        return self

    @property
    def payload_types(self) -> tuple[int, ...]:
        return tuple(8 if law == "alaw" else 0 for law in self.laws)

    @property
    def terms(self) -> Terms:
        """The bounds of a call."""
        return Terms(
            answer_pause=self.answer_pause,
            establish_wait=self.establish_wait,
            whole=self.call_limit,
            messages=self.messages,
            amplitude=32767 * 10 ** ((self.level - _FULL_SCALE) / 20),
        )


class FixedLineSettings(_Section):
    """``[networks.<name>]`` with ``type = "fixedline"``. Settings of a trunk may stand here if there is only one."""

    type: Literal["fixedline"] = "fixedline"
    label: str = Field(default="SMS to telephone lines", description="For people.")
    listen_host: str = Field(default="127.0.0.1", description="Where we take SIP and RTP.")
    listen_port: int = Field(default=5070, ge=0, le=65535, description="Our SIP port (UDP); 0: any free one.")
    public_host: str = Field(default="", description='What trunks are told of us; "": where we listen.')
    rtp_ports: tuple[int, int] = Field(default=(0, 0), description="Lowest and highest RTP port; 0: any free one.")
    trunks: tuple[TrunkSettings, ...] = Field(min_length=1, max_length=16, description="In the order of preference.")
    source: Digits = Field(default="", description='Sender of all messages; "": the sender\'s own number.')
    fallback_source: Digits = Field(default="", description="Sender for those who have no number of their own.")
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that lines dial: "44".'
    )
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,2}$", description="Cut off national numbers.")
    plain_is_international: bool = Field(
        default=True, description="Ten or more digits of unknown type are an international number."
    )
    international_prefix: str = Field(
        default="+", pattern=r"^(\+|[0-9]{0,4})$", description='Before international numbers that we dial: "+" or "00".'
    )
    number_types: frozenset[Literal["mobile", "fixed", "unknown"]] = Field(
        default=frozenset({"fixed"}), description="Which numbers this network serves."
    )
    max_segments: int = Field(
        default=1, ge=1, le=10, description="Segments of one message; many terminals put no long messages together."
    )
    notifications: bool = Field(
        default=False,
        description="Terminals take word of MMS (WAP push, 8-bit data to port 2948); it often needs two segments.",
    )
    unicode: bool = Field(default=True, description="Terminals know more than the GSM alphabet (UCS-2).")
    transliteration: Literal["off", "typographic", "latin"] = Field(
        default="typographic", description="What may be simplified to spare segments."
    )
    receipts: Literal["always", "asked", "never"] = Field(
        default="always", description="As terminal: status reports always, when the sender asked, or never."
    )
    max_validity: Seconds = Field(default=48 * 3600.0, description="As terminal: longest validity, seconds.")
    busy_retry: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(900.0, 3600.0, 14400.0),
        min_length=1,
        description="Seconds until a line that was busy, or did not answer, is called again; the last repeats.",
    )
    queue: int = Field(default=1000, ge=1, description="Messages kept in hand; more are refused as congestion.")
    reassembly_timeout: Seconds = Field(default=1800.0, description="How long to wait for a missing segment.")
    duplicate_window: Seconds = Field(
        default=900.0, description="The same message from the same line within this time is one that was sent again."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_trunk(cls, values: Any) -> Any:
        """Without ``trunks``, the settings of a trunk that stand here are the one trunk's."""
        if not isinstance(values, dict) or "trunks" in values:
            return values
        names = TrunkSettings.model_fields.keys() & values.keys()
        trunk = {name: values[name] for name in names}
        return {**{name: value for name, value in values.items() if name not in names}, "trunks": [trunk]}

    @model_validator(mode="after")
    def _ports(self) -> FixedLineSettings:
        low, high = self.rtp_ports
        if low and not 1024 <= low < high <= 65534:
            raise ValueError("rtp_ports: lowest and highest, between 1024 and 65534")
        return self


def read(settings: Any) -> FixedLineSettings:
    """Validate the section. Raises ValueError with one line per mistake."""
    try:
        return FixedLineSettings.model_validate(dict(settings))
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or 'fixedline'}: {e['msg']}" for e in error.errors(include_input=False)
        ]
        raise ValueError("; ".join(lines)) from None
