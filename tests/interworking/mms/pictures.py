"""Pictures for tests, made when asked for."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image


@lru_cache(maxsize=8)
def jpeg(width: int = 64, height: int = 48, quality: int = 80) -> bytes:
    out = BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


@lru_cache(maxsize=8)
def png(width: int = 64, height: int = 48) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()
