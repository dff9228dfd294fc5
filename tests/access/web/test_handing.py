"""Names that strangers chose, and what a browser is told to do with their files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.access.web.handing import disposition, file_name, name_of
from opencpm.domain.message import Part


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("garden.jpg", "garden.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\x.exe", "x.exe"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x"),
        ('"; filename="evil.html', "; filename=evil.html"),
        (".htaccess", "htaccess"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("..", ""),
        ("x" * 500, "x" * 150),
        ("Blümchen 🌼.png", "Blümchen 🌼.png"),
        ("\ud800.png", "?.png".replace("?", "")[0:0] + "png"),
    ],
)
def test_file_name(given_name: str, name: str) -> None:
    assert file_name(given_name) == name


def test_a_part_without_a_name() -> None:
    assert name_of(Part("image/jpeg", b""), 0) == "part-1.jpg"
    assert name_of(Part("application/x-unknown", b"", "../"), 2) == "part-3.bin"


def test_disposition() -> None:
    assert disposition("inline", "a.png") == 'inline; filename="a.png"'
    assert disposition("attachment", "Blume ü.png") == (
        "attachment; filename=\"Blume__.png\"; filename*=UTF-8''Blume%20%C3%BC.png"
    )


@given(st.text(max_size=60))
def test_any_name_makes_one_header_line(name: str) -> None:
    bare = file_name(name, "file")
    assert "/" not in bare
    assert "\\" not in bare
    value = disposition("attachment", bare)
    assert value.isascii()
    assert value.isprintable()
