"""Real worker processes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import Job, Limits, Pool, inspect, target
from tests.media.pictures import animation, coded, noise, photograph

RICH = target("image-rich")
HELLO = (text_part("hello"),)


def workers(pool):
    return {worker.pid for worker in pool._all}


async def test_every_kind_is_converted_without_opening_a_file():
    """A confined worker can import nothing: whatever is used late has to be warm."""
    kinds = ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"]
    given = [Part("image/x", coded(noise(800, 600), kind)) for kind in kinds]
    given += [
        photograph(2000, 1500, orientation=6),
        animation(800, 600),
        Part("image/png", coded(Image.new("I;16", (900, 9)), "PNG")),
    ]
    async with Pool(1) as pool:
        for part in given:
            done = await pool.adapt([part], RICH)
            assert done.incomplete == (), done.losses
        assert len(workers(pool)) == 1


async def test_sound_and_video_too():
    pytest.importorskip("av")
    from opencpm.media.worker.samples import film
    from tests.media.worker.test_sound import tone

    async with Pool(1) as pool:
        done = await pool.adapt([Part("video/mp4", film(320, 240, 1)), tone(1)], target("video-basic"))
        assert [part.media_type for part in done.parts] == ["video/3gpp", "audio/amr"]
        back = await pool.adapt(
            done.parts, target("video-rich", audio_codecs=("aac",), video_codecs=("h264-baseline",))
        )
        assert [inspect(part).kind for part in back.parts] == ["video", "audio"]


async def test_a_batch_keeps_its_order_and_one_failure_costs_itself():
    broken = Part("image/jpeg", b"\xff\xd8\xff\xe0")
    async with Pool(2) as pool:
        jobs = [Job((text_part(str(n)),), RICH) for n in range(20)]
        jobs[7] = Job((broken,), RICH)
        done = await pool.adapt_many(jobs)
    assert isinstance(done[7], SendError)
    assert done[7].reason is Reason.UNSUPPORTED_MEDIA
    assert [result.parts[0].text for n, result in enumerate(done) if n != 7] == [str(n) for n in range(20) if n != 7]


async def test_a_worker_that_dies_costs_its_job_and_is_replaced():
    async with Pool(1) as pool:
        await pool.start()
        (pid,) = workers(pool)
        os.kill(pid, signal.SIGSTOP)
        waiting = asyncio.create_task(pool.adapt(HELLO, RICH))
        while not pool._free.locked():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(SendError) as caught:
            await waiting
        assert (caught.value.reason, caught.value.retryable) == (Reason.UNSUPPORTED_MEDIA, False)
        assert (await pool.adapt(HELLO, RICH)).parts == HELLO
        assert workers(pool) != {pid}


async def test_a_worker_that_died_idle_costs_nothing():
    async with Pool(1) as pool:
        await pool.start()
        (worker,) = pool._all
        os.kill(worker.pid, signal.SIGKILL)
        await worker._process.wait()
        assert (await pool.adapt(HELLO, RICH)).parts == HELLO


async def test_a_worker_that_takes_too_long_is_ended():
    async with Pool(1, Limits(wall=0.2)) as pool:
        await pool.start()
        (pid,) = workers(pool)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(SendError) as caught:
            await pool.adapt(HELLO, RICH)
        assert caught.value.detail == "the media take too long to convert"
        assert workers(pool) == set()


async def test_a_job_that_is_cancelled_takes_its_worker_along():
    async with Pool(1) as pool:
        await pool.start()
        (pid,) = workers(pool)
        os.kill(pid, signal.SIGSTOP)
        waiting = asyncio.create_task(pool.adapt(HELLO, RICH))
        while not pool._free.locked():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert workers(pool) == set()


async def test_workers_are_replaced_after_their_time():
    seen = set()
    async with Pool(1, Limits(jobs=2)) as pool:
        for _ in range(5):
            await pool.adapt(HELLO, RICH)
            seen |= workers(pool)
        assert len(workers(pool)) <= 1
    assert len(seen) >= 2


async def test_too_many_wait():
    async with Pool(1, Limits(waiting=1)) as pool:
        done = await pool.adapt_many([Job(HELLO, RICH)] * 5)
    refused = [result for result in done if isinstance(result, SendError)]
    assert len(refused) == 3
    assert all(error.reason is Reason.CONGESTION and error.retryable for error in refused)


async def test_a_message_that_is_too_large_never_reaches_a_worker():
    async with Pool(1, Limits(input_bytes=10)) as pool:
        with pytest.raises(SendError) as caught:
            await pool.adapt([text_part("x" * 11)], RICH)
        assert caught.value.reason is Reason.TOO_LARGE
        assert not workers(pool)


async def test_a_broken_installation_is_no_fault_of_the_message(monkeypatch):
    monkeypatch.setattr("opencpm.media.pool._MODULE", "opencpm.nothing")
    async with Pool(1) as pool:
        with pytest.raises(SendError) as caught:
            await pool.adapt(HELLO, RICH)
    assert (caught.value.reason, caught.value.retryable) == (Reason.INTERNAL, True)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="not Linux")
async def test_a_worker_knows_no_secret_of_the_server(monkeypatch):
    monkeypatch.setenv("OPENCPM_PASSWORD", "secret")
    async with Pool(1) as pool:
        await pool.start()
        (pid,) = workers(pool)
        known = Path(f"/proc/{pid}/environ").read_bytes()
    assert known.startswith(b"PYTHONPATH=")
    assert b"secret" not in known


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="not Linux")
async def test_a_worker_holds_its_pipes_and_nothing_else():
    async with Pool(1) as pool:
        await pool.start()
        (pid,) = workers(pool)
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]


async def test_after_closing_nothing_runs():
    pool = Pool(2)
    await pool.start()
    pids = workers(pool)
    await pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(SendError):
        await pool.adapt(HELLO, RICH)
