"""Ranges (RFC 9110 §14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.access.web.ranges import Brought, Span, Unsatisfiable, asked, brought


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=2-", Span(2, 10)),
        ("bytes=2-5", Span(2, 6)),
        ("bytes=2-500", Span(2, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-30", Span(0, 10)),
        ("", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("bytes=5-2", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_asked(header: str, span: Span | None) -> None:
    assert asked(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_outside(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked(header, 10)


def test_nothing_has_no_range() -> None:
    with pytest.raises(Unsatisfiable):
        asked("bytes=0-", 0)


def test_brought() -> None:
    assert brought("bytes 0-9/10") == Brought(0, 10, 10)
    assert brought("bytes 5-9/*") == Brought(5, 10, None)
    for wrong in ("", "bytes 9-5/10", "bytes 0-10/10", "bytes */10", "bytes 0-9", "bytes -1-9/10"):
        with pytest.raises(ValueError, match="Content-Range"):
            brought(wrong)


@given(st.text(alphabet="bytes=-,0123456789 x*", max_size=30), st.integers(0, 20))
def test_any_header(header: str, size: int) -> None:
    try:
        span = asked(header, size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.end <= size
