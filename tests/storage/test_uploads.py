"""Uploads on disk: what is answered stays, whatever breaks; bounds for each person and in all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.storage import uploads as module
from opencpm.storage.uploads import DiskUploads, UploadLimits


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


class Ids:
    def __init__(self, first: int = 1) -> None:
        self.next = first

    def new(self) -> str:
        self.next += 1
        return f"{self.next:024x}"


CLOCK = Clock()
SMALL = UploadLimits(file=100, preview=10, per_user=3, per_user_bytes=150, all_bytes=200, keep=50, keep_partial=20)


def opened(folder: Path, limits: UploadLimits = SMALL, clock: Clock | None = None) -> DiskUploads:
    return DiskUploads(folder, clock or Clock(), Ids(int.from_bytes(os.urandom(4))), limits)


async def brought(uploads: DiskUploads, data: bytes, owner: str = "alice", tid: str = "t1") -> str:
    upload = await uploads.begin(owner, tid, name="a.png", content_type="image/png")
    await uploads.append(upload.id, 0, data)
    return (await uploads.finish(upload.id)).id


async def refused(reason: Reason, work: object) -> None:
    with pytest.raises(SendError) as caught:
        await work  # type: ignore[misc]
    assert caught.value.reason is reason


async def test_whole_and_after_a_restart(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    ident = await brought(uploads, b"content")
    for found in (uploads, opened(tmp_path)):
        part = found.content(ident)
        assert part is not None
        assert (part.body, part.name, part.content_type) == (b"content", "a.png", "image/png")
        upload = found.of("alice", "t1")
        assert upload is not None
        assert (upload.complete, upload.total, upload.received) == (True, 7, 7)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}  # nobody else's


async def test_what_was_kept_is_there_after_a_crash_and_what_was_not_is_cut(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    upload = await uploads.begin("alice", "t1", name="", content_type="image/png")
    await uploads.append(upload.id, 0, b"0123456789")
    kept = await uploads.keep(upload.id)
    assert kept is not None
    assert kept.received == 10
    await uploads.append(upload.id, 10, b"not certain")
    after = opened(tmp_path)
    found = after.of("alice", "t1")
    assert found is not None
    assert (found.received, found.complete) == (10, False)
    assert await after.append(upload.id, 5, b"56789abc", total=13) == 13
    assert (await after.finish(upload.id)).complete
    part = after.content(upload.id)
    assert part is not None
    assert part.body == b"0123456789abc"


async def test_checkpoints_amid_an_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKPOINT", 8)
    uploads = opened(tmp_path)
    upload = await uploads.begin("alice", "t1", name="", content_type="image/png")
    await uploads.append(upload.id, 0, b"0123456789")
    await uploads.append(upload.id, 10, b"x")
    found = opened(tmp_path).get(upload.id)
    assert found is not None
    assert found.received == 10


async def test_a_gap_more_than_announced_and_less(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    upload = await uploads.begin("alice", "t1", name="", content_type="image/png", total=5)
    await refused(Reason.MALFORMED, uploads.append(upload.id, 1, b"gap"))
    await refused(Reason.MALFORMED, uploads.append(upload.id, 0, b"123456"))
    await uploads.append(upload.id, 0, b"123")
    await refused(Reason.MALFORMED, uploads.append(upload.id, 3, b"4", total=9))
    await refused(Reason.MALFORMED, uploads.finish(upload.id))
    assert uploads.content(upload.id) is None


async def test_bounds(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    await refused(Reason.TOO_LARGE, brought(uploads, b"x" * 101))
    await uploads.remove(uploads.of("alice", "t1").id)  # type: ignore[union-attr]
    await refused(Reason.TOO_LARGE, uploads.begin("alice", "t1", name="", content_type="a/b", total=101))
    await brought(uploads, b"x" * 100, tid="t1")
    await refused(Reason.CONGESTION, brought(uploads, b"x" * 60, tid="t2"))
    await brought(uploads, b"x", tid="t3")
    await refused(Reason.CONGESTION, uploads.begin("alice", "t4", name="", content_type="a/b"))
    await refused(Reason.CONGESTION, brought(uploads, b"x" * 100, owner="bob"))
    preview = uploads.of("alice", "t2")
    assert preview is not None
    await refused(Reason.TOO_LARGE, uploads.thumbnail(preview.id, "image/png", b"x" * 11))


async def test_what_is_in_a_message_makes_room_and_goes_soon(tmp_path: Path) -> None:
    clock = Clock()
    limits = UploadLimits(file=100, per_user=1, per_user_bytes=100, keep=1000, keep_taken=10)
    uploads = opened(tmp_path, limits, clock)
    first = await brought(uploads, b"x" * 100)
    uploads.taken(first)
    await brought(uploads, b"y" * 100, tid="t2")
    clock.time += 11
    assert uploads.get(first) is None
    assert await uploads.prune() == 1


async def test_the_same_tid_again(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    partial = await uploads.begin("alice", "t1", name="", content_type="a/b")
    await uploads.append(partial.id, 0, b"old")
    ident = await brought(uploads, b"new")
    assert ident != partial.id
    assert (await uploads.begin("alice", "t1", name="", content_type="a/b")).id == ident
    assert (await uploads.begin("bob", "t1", name="", content_type="a/b")).id != ident


async def test_expiry(tmp_path: Path) -> None:
    clock = Clock()
    uploads = opened(tmp_path, clock=clock)
    whole = await brought(uploads, b"x")
    partial = await uploads.begin("alice", "t2", name="", content_type="a/b")
    clock.time += 30
    assert (uploads.get(partial.id), uploads.get(whole) is None) == (None, False)
    assert await uploads.prune() == 1
    await refused(Reason.EXPIRED, uploads.append(partial.id, 0, b"x"))
    clock.time += 30
    assert await uploads.prune() == 1
    assert list(tmp_path.iterdir()) == []


async def test_rubbish_in_the_folder(tmp_path: Path) -> None:
    uploads = opened(tmp_path)
    ident = await brought(uploads, b"good")
    (tmp_path / "stray.bin").write_bytes(b"x")
    (tmp_path / "half.json").write_text("{")
    (tmp_path / f"{ident}.json.new").write_text("{")
    card = json.loads((tmp_path / f"{ident}.json").read_text())
    (tmp_path / "liar.json").write_text(json.dumps({**card, "id": "liar", "received": 99}))
    (tmp_path / "liar.bin").write_bytes(b"x")
    (tmp_path / "other.json").write_text(json.dumps({**card, "id": "../../etc/passwd"}))
    after = opened(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{ident}.bin", f"{ident}.json"]
    assert after.content(ident) is not None


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = opened(tmp_path)
    upload = await uploads.begin("alice", "t1", name="", content_type="a/b")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "pwrite", full)
    await refused(Reason.INTERNAL, uploads.append(upload.id, 0, b"x"))
    monkeypatch.undo()
    assert await uploads.append(upload.id, 0, b"x") == 1
