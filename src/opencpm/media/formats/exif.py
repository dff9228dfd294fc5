"""EXIF (CIPA DC-008): only the orientation is ever read; the rest is taken away."""

from __future__ import annotations

import struct
from typing import Final

_ORIENTATION: Final = 0x0112
_MOST_ENTRIES: Final = 512
_SHORT: Final = 3


def orientation(tiff: bytes) -> int:
    """1 to 8 from a TIFF structure (without ``Exif\\0\\0``); 1 for whatever is odd. Never raises."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        for index in range(min(count, _MOST_ENTRIES)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * index)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
