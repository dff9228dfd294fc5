import pytest

from opencpm.domain.errors import SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import Kind, Limits, inspect, target
from opencpm.media.worker.adapt import adapt
from tests.media.formats.test_bmff import box

av = pytest.importorskip("av", reason="converting video needs PyAV (docs/decisions/0005)")

from opencpm.media.worker.samples import film  # noqa: E402

BASIC = target("video-basic")
MODERN = target("video-rich", audio_codecs=("aac",), video_codecs=("h264-baseline",))
LIMITS = Limits()


@pytest.fixture(scope="module")
def five_seconds():
    return Part("video/mp4", film(640, 480, 5, 25), "party.mp4")


def test_h263_and_amr(five_seconds):
    done = adapt([five_seconds], BASIC, LIMITS)
    seen = inspect(done.parts[0])
    assert (seen.media_type, seen.width, seen.height) == ("video/3gpp", 176, 144)
    assert sorted(seen.codecs) == ["amr", "h263"]
    assert seen.duration == pytest.approx(5, abs=0.3)
    assert seen.frames == pytest.approx(75, abs=2)
    assert done.parts[0].name == "party.3gp"
    assert done.losses[0].startswith("video 5 s, ")
    assert done.incomplete == ()


@pytest.mark.skipif("libx264" not in av.codecs_available, reason="this FFmpeg has no H.264 encoder")
def test_h264_and_aac(five_seconds):
    done = adapt([five_seconds], MODERN, LIMITS)
    seen = inspect(done.parts[0])
    assert sorted(seen.codecs) == ["aac", "h264-baseline"]
    assert (seen.width, seen.height) == (320, 240)


def test_the_result_decodes(five_seconds):
    import io

    made = adapt([five_seconds], BASIC, LIMITS).parts[0]
    with av.open(io.BytesIO(made.body)) as container:
        assert len(list(container.decode(container.streams.video[0]))) == pytest.approx(75, abs=2)


def test_what_fits_is_kept_without_its_place(five_seconds):
    made = adapt([five_seconds], BASIC, LIMITS).parts[0]
    placed = made._replace(body=made.body + box(b"udta", box(b"\xa9xyz", b"+51.5007")))
    done = adapt([placed], BASIC, LIMITS)
    assert done.losses == ()
    assert b"+51" not in done.parts[0].body


@pytest.mark.parametrize("to", [target("video-basic", max_bytes=12 * 1024), target("image-rich")])
def test_first_picture_where_the_video_does_not_fit(five_seconds, to):
    done = adapt([five_seconds], to, LIMITS)
    assert done.parts[0].media_type == "image/jpeg"
    assert done.losses[0].endswith(": its first picture")
    assert done.incomplete == (0,)


def test_bytes_are_shared_by_need(five_seconds):
    done = adapt([five_seconds, text_part("x" * 30_000)], target("video-basic"), LIMITS)
    assert done.size <= BASIC.budget
    assert inspect(done.parts[0]).kind is Kind.VIDEO


def test_pictures_without_sound():
    import io

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as sink:
        stream = sink.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            sink.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        sink.mux(stream.encode(None))
    assert inspect(adapt([Part("video/mp4", out.getvalue())], BASIC, LIMITS).parts[0]).codecs == ("h263",)


@pytest.mark.parametrize(
    "limits", [Limits(duration=2), Limits(video_frames=20), Limits(pixels=1000)], ids=["long", "frames", "pixels"]
)
def test_limits(five_seconds, limits):
    done = adapt([text_part("x"), five_seconds], BASIC, limits)
    assert done.incomplete == (1,)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_truncated(five_seconds, keep):
    body = five_seconds.body[: int(len(five_seconds.body) * keep)]
    with pytest.raises(SendError):
        adapt([five_seconds._replace(body=body)], BASIC, LIMITS)


@pytest.mark.parametrize("body", [b"\x1aE\xdf\xa3" + bytes(100), b"RIFF\0\0\0\0AVI " + bytes(100)])
def test_nonsense(body):
    with pytest.raises(SendError):
        adapt([Part("video/mp4", body)], BASIC, LIMITS)


@pytest.mark.parametrize("text", [b"#EXTM3U\nfile:///etc/passwd", b"ffconcat version 1.0\nfile /etc/passwd"])
def test_playlists_are_never_followed(text):
    with pytest.raises(SendError):
        adapt([Part("video/mp4", text)], BASIC, LIMITS)
