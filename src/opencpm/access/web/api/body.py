"""What every JSON body has in common: no unknown members, and text that can be encoded."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Body(BaseModel):
    """JSON allows lone surrogates in strings (RFC 8259 §8.2); nothing else of ours does."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def _encodable(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise ValueError("text has half of a surrogate pair") from None
        return value
