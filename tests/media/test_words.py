import pytest

from opencpm.domain.message import Part
from opencpm.media import inspect, words
from tests.media.pictures import animation, photograph


@pytest.mark.parametrize(
    ("octets", "said"), [(12, "12 B"), (38 * 1024, "38 kB"), (1024 * 1024, "1.0 MB"), (3355443, "3.2 MB")]
)
def test_sizes(octets, said):
    assert words.size(octets) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.1, "1 s"), (59, "59 s"), (130, "2:10 min")])
def test_durations(seconds, said):
    assert words.duration(seconds) == said


def test_what_a_person_sees():
    assert words.described(inspect(photograph(64, 48, orientation=6))).startswith("photograph 48×64, ")
    assert words.described(inspect(animation(frames=3))).startswith("animation 64×48 1 s")
    assert words.described(inspect(Part("application/pdf", b"%PDF-"))) == "attachment, 5 B"


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("holiday.PNG", "holiday.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\a\\b.gif", "b.jpg"),
        ("a\0b\n.png", "ab.jpg"),
        ("no extension at all", "no extension at all.jpg"),
        ("v1.presentation", "v1.presentation.jpg"),
        ("", ""),
        ("..", ""),
        ("x" * 300 + ".png", "x" * 60 + ".jpg"),
    ],
)
def test_names(name, new):
    assert words.renamed(name, "image/jpeg") == new
