"""Uploads files one after the other, piece by piece, and says what it was answered, until it is killed."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path
from secrets import token_hex

from opencpm.storage.uploads import DiskUploads


class Clock:
    now = staticmethod(time.time)


class Ids:
    new = staticmethod(lambda: token_hex(12))


def content(tid: str) -> bytes:
    """What a file of this name holds: its name again and again."""
    return (tid.encode() + b";") * 40_000


async def main(folder: Path) -> None:
    uploads = DiskUploads(folder, Clock(), Ids())
    for number in itertools.count():
        tid = f"{token_hex(4)}-{number}"
        body = content(tid)
        upload = await uploads.begin("alice", tid, name="x.bin", content_type="image/png", total=len(body))
        for at in range(0, len(body), 100_000):
            await uploads.append(upload.id, at, body[at : at + 100_000])
            if at % 300_000 == 0:
                kept = await uploads.keep(upload.id)
                assert kept is not None
                print(f"~ {tid} {kept.received}", flush=True)
        await uploads.finish(upload.id)
        print(f"+ {tid} {len(body)}", flush=True)
        uploads.taken(upload.id)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
