"""A worker: takes jobs on stdin one after the other, answers on stdout, ends with its stdin."""

from __future__ import annotations

import json
import os
import sys

from opencpm.domain.errors import Reason, SendError
from opencpm.media import wire
from opencpm.media.values import Limits
from opencpm.media.worker.adapt import CONVERTS_SOUND_AND_VIDEO, adapt
from opencpm.media.worker.confine import allow_cpu, confine
from opencpm.media.worker.warm import warm_up


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    warm_up()
    confine(limits)
    _write(wire.frame({"ready": True, "video": CONVERTS_SOUND_AND_VIDEO}))
    while prefix := _read(wire.PREFIX.size):
        header, bodies = wire.lengths(prefix, limits.input_bytes)
        job = wire.unframe(_read(header), _read(bodies))
        allow_cpu(limits)
        _write(_answer(job, limits))


def _answer(job: tuple[dict[str, object], list[bytes]], limits: Limits) -> bytes:
    parts, target = wire.read_job(*job)
    try:
        return wire.result(adapt(parts, target, limits))
    except SendError as error:
        return wire.failure(error)
    except MemoryError:
        return wire.failure(SendError(Reason.TOO_LARGE, detail="the message needs too much memory to adapt"))
    except Exception:  # noqa: BLE001 - whatever a decoder raises ends this job and no other
        return wire.failure(SendError(Reason.UNSUPPORTED_MEDIA, detail="the message has media that cannot be read"))


def _read(wanted: int) -> bytes:
    """So many bytes; none at the end of stdin."""
    pieces, left = list[bytes](), wanted
    while left:
        piece = os.read(0, min(left, 2**20))
        if not piece:
            return b""
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _write(answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
