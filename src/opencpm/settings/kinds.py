"""Kinds of values that several sections share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """One table of the file. A name that is not known is an error: a typing mistake must not pass for a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _off(value: Any) -> Any:
    return None if value == "off" or value is False else value


Port = Annotated[int, Field(ge=0, le=65535)]
"""A port to listen on; 0 takes any free one."""

OptionalPort = Annotated[Port | None, BeforeValidator(_off)]
"""The same, or "off" (TOML has no null)."""

Seconds = Annotated[float, Field(ge=0)]
