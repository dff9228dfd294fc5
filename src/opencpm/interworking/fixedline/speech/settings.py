"""Settings of texts read out on telephone lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencpm.interworking.fixedline.settings import TrunkSettings

Seconds = Annotated[float, Field(ge=0)]
Digits = Annotated[str, Field(pattern=r"^\+?[0-9]{1,20}$")]
Voice = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9-]{1,20})?$")]


class SpeechSettings(BaseModel):
    """``[networks.<name>]`` with ``type = "speech"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["speech"] = "speech"
    label: str = Field(default="Voice", description="For people.")
    program: str = Field(
        default="espeak-ng", pattern=r"^[\w./-]{1,200}$", description="The engine: espeak-ng, or one with its options."
    )
    language: Voice = Field(default="en", description="Voice for texts whose script and number tell nothing.")
    languages: dict[str, Voice] = Field(
        default_factory=dict, description='Voice by the beginning of the line\'s number: {"+49" = "de"}.'
    )
    speed: int = Field(default=140, ge=80, le=300, description="Words a minute.")
    introduction: str = Field(
        default="A text message from {sender}.", max_length=200, description="Said first; {sender} is the number."
    )
    prompt: str = Field(default="To hear it again, press 1.", max_length=200, description="Said after the text.")
    repeats: int = Field(default=3, ge=1, le=10, description="How often a text is read in one call at most.")
    max_characters: int = Field(default=600, ge=1, le=2000, description="Longer texts are not read.")
    from_hour: int = Field(default=8, ge=0, le=23, description="No line is called before this hour.")
    to_hour: int = Field(default=21, ge=1, le=24, description="Nor from this hour on.")
    timezone: str = Field(default="UTC", description='Whose hours: "Europe/London".')
    host: str = Field(default="127.0.0.1", description="Host of the trunk or gateway.")
    port: int = Field(default=5060, ge=1, le=65535, description="Its SIP port (UDP).")
    number: Digits = Field(description="The number that calls; people may call it back.")
    calls: int = Field(default=5, ge=1, le=100, description="Calls at once.")
    user: str = Field(default="", max_length=64, description="Account, where the trunk asks for a password.")
    password: str = Field(default="", max_length=128, repr=False, description="Its password.")
    keep_alive: Seconds = Field(default=30.0, description="Seconds between questions whether the trunk is there.")
    ring_timeout: Seconds = Field(default=40.0, description="How long a line may ring.")
    listen_host: str = Field(default="127.0.0.1", description="Where we take SIP and RTP.")
    listen_port: int = Field(default=5071, ge=0, le=65535, description="Our SIP port (UDP); 0: any free one.")
    public_host: str = Field(default="", description='What the trunk is told of us; "": where we listen.')
    number_types: frozenset[Literal["mobile", "fixed", "unknown"]] = Field(
        default=frozenset({"fixed"}), description="Which numbers this network serves."
    )
    busy_retry: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(900.0, 3600.0, 14400.0),
        min_length=1,
        description="Seconds until a line that was busy, or did not answer, is called again; the last repeats.",
    )
    queue: int = Field(default=100, ge=1, description="Messages kept in hand; more are refused as congestion.")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            raise ValueError(f'{name!r} is no time zone; write one like "Europe/London"') from None
        return name

    @property
    def trunk(self) -> TrunkSettings:
        """The same as a trunk."""
        return TrunkSettings(
            name="trunk",
            host=self.host,
            port=self.port,
            number=self.number,
            calls=self.calls,
            user=self.user,
            password=self.password,
            keep_alive=self.keep_alive,
            ring_timeout=self.ring_timeout,
        )


def read(settings: Mapping[str, Any]) -> SpeechSettings:
    """Validate the section. Raises ValueError with one line per mistake."""
    try:
        return SpeechSettings.model_validate(dict(settings))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'speech'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(lines)) from None
