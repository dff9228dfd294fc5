"""Settings that every way to MMS has: what phones behind it take, and what is asked and believed of reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencpm.media import ContentClass

Seconds = Annotated[float, Field(ge=0)]
Pixels = Annotated[int, Field(ge=1, le=16384)]


class MmsSettings(BaseModel):
    """The part of ``[networks.<name>]`` that does not depend on how the MMS centre is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(default="MMS", description="For people.")
    content_class: ContentClass = Field(
        default=ContentClass.MEGAPIXEL, description="What phones take, by OMA MMS conformance."
    )
    classes: dict[str, ContentClass] = Field(
        default={}, description='Classes of ranges of numbers, the longest prefix counts: {"+1202" = "image-rich"}.'
    )
    max_size: int = Field(
        default=0, ge=0, description="Octets of a message, where the network takes other than the class; 0: the class."
    )
    max_image: tuple[Pixels, Pixels] | None = Field(
        default=None, description="Pixels of a picture, where phones take other than the class: [1024, 768]."
    )
    accepts: tuple[str, ...] = Field(
        default=(), description='Media types that phones take over their class: "image/png".'
    )
    audio_codecs: tuple[Literal["amr", "aac"], ...] = Field(
        default=(), description="What sound is converted to, best first; left out: the class."
    )
    video_codecs: tuple[Literal["h263", "h264-baseline"], ...] = Field(
        default=(), description="What video is converted to, best first; left out: the class."
    )
    number_types: frozenset[Literal["mobile", "fixed", "unknown"]] = Field(
        default=frozenset({"mobile", "unknown"}), description="Which numbers this network serves."
    )
    country_code: str = Field(
        default="", pattern=r"^[0-9]{0,3}$", description='Of national numbers that the centre sends: "44".'
    )
    trunk_prefix: str = Field(default="0", pattern=r"^[0-9]{0,2}$", description="Cut off national numbers.")
    plain_is_international: bool = Field(
        default=True, description="Ten or more digits without + are an international number."
    )
    delivery_reports: Literal["always", "asked", "never"] = Field(
        default="always", description="Delivery reports: always, when the sender asked, or never."
    )
    read_reports: Literal["asked", "never"] = Field(default="asked", description="Read reports, likewise.")
    read_to_display: bool = Field(
        default=False,
        description="A read report tells the sender that it was displayed; many phones send one by themselves.",
    )
    max_validity: Seconds = Field(default=7 * 86400.0, description="Longest validity that the centre takes, seconds.")
    in_hand: int = Field(default=500, ge=1, description="Messages kept in hand; more are refused as congestion.")

    @field_validator("classes")
    @classmethod
    def _prefixes(cls, classes: dict[str, ContentClass]) -> dict[str, ContentClass]:
        for prefix in classes:
            if not prefix.removeprefix("+").isdecimal():
                raise ValueError(f'{prefix!r} is no beginning of a number; write one like "+1202"')
        return classes


S = TypeVar("S", bound=BaseModel)


def read(model: type[S], settings: Any) -> S:
    """Validate the section of a way to MMS. Raises ValueError with one line per mistake."""
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'mms'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ValueError("; ".join(lines)) from None
