from __future__ import annotations

from opencpm.protocols.msrp.assembly import Assembly
from opencpm.protocols.msrp.message import ByteRange

ABC = b"abcdefghij"


def feed(chunks: list[tuple[int, int, str]], total: int | None = 10) -> tuple[list[bool], bytes]:
    assembly, done = Assembly("x/y"), []
    for start, end, flag in chunks:
        assembly.add(start - 1, ABC[start - 1 : end])
        done.append(assembly.finish(ByteRange(start, end, total), end, flag))
    return done, assembly.content()


def test_in_order():
    assert feed([(1, 4, "+"), (5, 10, "$")]) == ([False, True], ABC)


def test_unknown_total_ends_with_the_last_chunk():
    assert feed([(1, 4, "+"), (5, 10, "$")], None) == ([False, True], ABC)


def test_any_order_and_overlaps():
    assert feed([(8, 10, "$"), (5, 7, "+"), (1, 5, "+")]) == ([False, False, True], ABC)
    assert feed([(1, 6, "+"), (1, 6, "+"), (4, 10, "$")]) == ([False, False, True], ABC)


def test_a_hole_is_not_complete():
    assert feed([(1, 4, "+"), (6, 10, "$")])[0] == [False, False]


def test_aborted():
    assert feed([(1, 10, "#")])[0] == [False]


def test_repetition_holds_no_more_memory_and_holes_are_bounded():
    assembly = Assembly("x/y")
    assert all(assembly.add(0, b"abc") for _ in range(1000))
    assert assembly.size == 3
    assert not all(assembly.add(1000 + 2 * i, b"x") for i in range(300))
