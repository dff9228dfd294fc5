"""What goes between the server and a worker: a JSON header and the bodies, with lengths in front.

No pickle: a worker that a picture has taken over can say nothing but wrong data.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Part

PREFIX: Final = struct.Struct(">II")  # bytes of the header, bytes of all bodies
LARGEST_HEADER: Final = 2**20
_MOST_PARTS: Final = 1_000
_WORDS: Final = 500  # characters of a loss or an error


class WireError(ValueError):
    """The other side said something that is not of this protocol."""


def frame(header: dict[str, Any], bodies: Sequence[bytes] = ()) -> bytes:
    coded = json.dumps({**header, "lengths": [len(body) for body in bodies]}).encode()
    return b"".join((PREFIX.pack(len(coded), sum(map(len, bodies))), coded, *bodies))


def lengths(prefix: bytes, largest: int) -> tuple[int, int]:
    """Of header and bodies. Raises WireError over the limits."""
    header, bodies = PREFIX.unpack(prefix)
    if header > LARGEST_HEADER or bodies > largest:
        raise WireError("frame too large")
    return header, bodies


def unframe(header: bytes, bodies: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Raises WireError."""
    try:
        said = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise WireError("no JSON") from error
    sizes = said.get("lengths") if isinstance(said, dict) else None
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise WireError("no lengths")
    if sum(sizes) != len(bodies) or len(sizes) > _MOST_PARTS:
        raise WireError("wrong lengths")
    cut, at = list[bytes](), 0
    for size in sizes:
        cut.append(bodies[at : at + size])
        at += size
    return said, cut


def job(parts: Sequence[Part], target: Target) -> bytes:
    return frame({"target": asdict(target), "parts": _heads(parts)}, [part.body for part in parts])


def read_job(said: dict[str, Any], bodies: list[bytes]) -> tuple[tuple[Part, ...], Target]:
    """In the worker; what the server says is believed."""
    wanted: dict[str, Any] = said["target"]
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}
    return _parts(said["parts"], bodies), Target(**fields)


def result(done: Adapted) -> bytes:
    header = {
        "parts": _heads(done.parts),
        "origins": done.origins,
        "losses": done.losses,
        "incomplete": done.incomplete,
    }
    return frame(header, [part.body for part in done.parts])


def failure(error: SendError) -> bytes:
    return frame({"reason": error.reason.value, "detail": error.detail})


def read_result(said: dict[str, Any], bodies: list[bytes], given: int) -> Adapted:
    """In the server; nothing is believed. ``given`` is how many parts the job had.

    Raises SendError where the worker says so, and WireError for nonsense.
    """
    if "reason" in said:
        raise _send_error(said)
    origins, incomplete = _places(said.get("origins"), given), _places(said.get("incomplete"), given)
    losses = said.get("losses")
    if not isinstance(losses, list) or not all(isinstance(loss, str) for loss in losses) or len(losses) > given:
        raise WireError("wrong losses")
    parts = _parts(said.get("parts"), bodies)
    if len(origins) != len(parts):
        raise WireError("wrong origins")
    return Adapted(parts=parts, origins=origins, losses=tuple(loss[:_WORDS] for loss in losses), incomplete=incomplete)


def _send_error(said: dict[str, Any]) -> SendError:
    allowed = {reason.value: reason for reason in (Reason.UNSUPPORTED_MEDIA, Reason.TOO_LARGE)}
    reason, detail = said["reason"], said.get("detail")
    if not isinstance(reason, str) or reason not in allowed or not isinstance(detail, str):
        raise WireError("wrong error")
    return SendError(allowed[reason], detail=detail[:_WORDS])


def _heads(parts: Sequence[Part]) -> list[list[str]]:
    return [[part.content_type, part.name, part.disposition] for part in parts]


def _parts(heads: Any, bodies: list[bytes]) -> tuple[Part, ...]:
    if not isinstance(heads, list) or len(heads) != len(bodies):
        raise WireError("wrong parts")
    made = []
    for head, body in zip(heads, bodies, strict=True):
        if not isinstance(head, list) or len(head) != 3 or not all(isinstance(word, str) for word in head):
            raise WireError("wrong part")
        made.append(Part(head[0], body, head[1], head[2]))
    return tuple(made)


def _places(said: Any, given: int) -> tuple[int, ...]:
    if not isinstance(said, list) or not all(type(place) is int and 0 <= place < given for place in said):
        raise WireError("wrong places")
    return tuple(said)
