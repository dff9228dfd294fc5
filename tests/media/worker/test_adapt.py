import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import Limits, inspect, target
from opencpm.media.worker import adapt as rules
from opencpm.media.worker.adapt import adapt
from tests.media.pictures import GPS, animation, coded, noise, opened, photograph

RICH = target("image-rich")
LIMITS = Limits()
CARD = Part("text/x-vcard", b"BEGIN:VCARD\r\nEND:VCARD\r\n")


def adapted(*parts, to=RICH, limits=LIMITS):
    return adapt(parts, to, limits)


def test_a_large_photograph():
    done = adapted(text_part("look"), photograph(4000, 3000))
    assert [part.media_type for part in done.parts] == ["text/plain", "image/jpeg"]
    seen = inspect(done.parts[1])
    assert (seen.width, seen.height, seen.simple) == (640, 480, True)
    assert done.size <= RICH.budget
    (loss,) = done.losses
    assert loss.startswith("photograph 4000×3000 reduced to 640×480, ")
    assert done.incomplete == ()
    assert done.parts[1].name == "holiday.jpg"


def test_what_fits_is_kept_to_the_last_pixel_and_without_its_place():
    given = photograph(320, 240, quality=60)
    done = adapted(given)
    assert done.losses == ()
    assert GPS not in done.parts[0].body
    assert opened(done.parts[0]).tobytes() == opened(given).tobytes()


def test_never_enlarged():
    seen = inspect(adapted(photograph(100, 80, progressive=True)).parts[0])
    assert (seen.width, seen.height) == (100, 80)


def test_turned_photograph_comes_upright():
    done = adapted(photograph(1200, 800, orientation=6))
    seen = inspect(done.parts[0])
    assert (seen.width, seen.height, seen.orientation) == (427, 640, 1)
    assert done.losses[0].startswith("photograph 800×1200 reduced to 427×640")
    assert GPS not in done.parts[0].body


def test_animation_stays_while_it_fits():
    assert inspect(adapted(animation(frames=5)).parts[0]).frames == 5


@pytest.mark.parametrize(
    "to", [target("image-basic", max_image=(32, 32)), target("image-rich", max_bytes=4 * 1024 + 900)]
)
def test_animation_that_does_not_fit_becomes_its_first_frame(to):
    done = adapted(animation(frames=40), to=to)
    assert inspect(done.parts[0]).frames == 1
    assert "only its first frame" in done.losses[0]


def test_png_is_kept_where_it_is_taken_and_else_becomes_jpeg_on_white():
    given = Part("image/png", coded(noise(64, 48, "RGBA"), "PNG"), "logo.png")
    assert adapted(given, to=target("image-rich", accepts=("image/png",))).parts[0].media_type == "image/png"
    made = adapted(given)
    assert (made.parts[0].media_type, made.parts[0].name) == ("image/jpeg", "logo.jpg")
    assert "made JPEG" in made.losses[0]


def test_transparent_png_that_is_scaled_stays_png():
    given = Part("image/png", coded(noise(1000, 800, "RGBA").resize((1000, 800)), "PNG"))
    clear = Part("image/png", coded(opened(given).convert("RGBA").point(lambda v: v // 64 * 64), "PNG"))
    done = adapted(clear, to=target("image-rich", max_bytes=4_000_000, accepts=("image/png",)))
    assert done.parts[0].media_type == "image/png"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "BMP"])
def test_other_pictures_become_jpeg(kind):
    assert adapted(Part("image/x", coded(noise(64, 48), kind))).parts[0].media_type == "image/jpeg"


def test_the_claimed_type_does_not_count():
    done = adapted(photograph(64, 48)._replace(content_type="image/gif"))
    assert done.parts[0].content_type == "image/jpeg"


def test_the_largest_is_shrunk_first():
    small = photograph(160, 120, quality=50)
    done = adapted(photograph(1600, 1200), small, photograph(1600, 1200))
    assert len(done.losses) == 2
    assert done.size <= RICH.budget
    assert min(len(done.parts[0].body), len(done.parts[2].body)) > 0.7 * (RICH.budget - len(small.body)) / 2


def test_texts_go_whole_and_first():
    done = adapted(photograph(1600, 1200), text_part("x" * 60_000))
    assert len(done.parts[1].body) == 60_000
    assert done.size <= RICH.budget


def test_text_that_does_not_fit():
    with pytest.raises(SendError) as caught:
        adapted(text_part("x" * 200_000))
    assert caught.value.reason is Reason.TOO_LARGE


def test_text_in_another_charset():
    done = adapted(Part("text/plain;charset=iso-8859-1", "Grüße".encode("latin-1")))
    assert done.parts[0] == text_part("Grüße")


def test_what_is_left_out_is_named_and_the_rest_goes():
    done = adapted(text_part("see"), Part("application/pdf", b"%PDF-" + bytes(2000)), CARD)
    assert [part.media_type for part in done.parts] == ["text/plain", "text/plain", "text/x-vcard"]
    assert done.parts[1].text == "[attachment, 2 kB: not sent, it is of a kind that the receiver does not take]"
    assert done.losses == ("attachment, 2 kB left out: it is of a kind that the receiver does not take",)
    assert (done.origins, done.incomplete) == ((0, 1, 2), (1,))


def test_documents_where_they_are_taken():
    given = Part("application/pdf", b"%PDF-1.7", "plan.pdf")
    assert adapted(given, to=target("content-basic")).parts == (given,)


def test_nothing_fits_a_line_of_text_remains():
    done = adapted(photograph(1600, 1200), to=target("image-rich", max_bytes=5000))
    assert done.incomplete == (0,)
    assert done.parts[0].text.endswith("not sent, it is too large for the receiver]")


def test_nothing_fits_and_no_line_is_wanted():
    from dataclasses import replace

    with pytest.raises(SendError) as caught:
        adapted(photograph(1600, 1200), to=replace(RICH, max_bytes=5000, stand_in=False))
    assert caught.value.reason is Reason.TOO_LARGE


def test_nothing_that_can_be_read():
    with pytest.raises(SendError) as caught:
        adapted(Part("image/jpeg", b"\xff\xd8\xff\xe0 nonsense"))
    assert (caught.value.reason, caught.value.retryable) == (Reason.UNSUPPORTED_MEDIA, False)


def test_pictures_for_a_text_only_receiver():
    done = adapted(text_part("look"), photograph(64, 48), to=target("text"))
    assert done.losses[0].endswith("left out: it cannot be shown by the receiver")


def test_one_that_takes_gif_only():
    from dataclasses import replace

    done = adapted(photograph(800, 600), to=replace(RICH, accepts=("image/gif",), max_bytes=200_000))
    assert done.parts[0].media_type == "image/gif"


def test_the_presentation_goes_along_without_a_word():
    smil = Part("application/smil", b"<smil/>")
    assert adapted(smil, text_part("x")).parts[0] == smil


def test_memory_that_runs_out_costs_the_part(monkeypatch):
    def none_left(*_):
        raise MemoryError

    monkeypatch.setattr(rules.image.picture, "decode", none_left)
    done = adapted(text_part("x"), photograph(1600, 1200))
    assert "needs too much memory" in done.losses[0]


def test_too_many_parts():
    with pytest.raises(SendError):
        adapted(*[text_part("x")] * 65)


def test_without_ffmpeg_the_reason_is_clear(monkeypatch):
    monkeypatch.setattr(rules, "CONVERTS_SOUND_AND_VIDEO", False)
    amr = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100
    done = adapted(text_part("x"), Part("audio/amr", amr), to=target("image-rich", audio_codecs=("aac",)))
    assert done.losses == ("sound 2 s, 3 kB left out: it does not fit the receiver, and this server converts no sound",)
    assert adapted(Part("audio/amr", amr)).parts[0].body == amr
