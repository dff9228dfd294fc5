from __future__ import annotations

from opencpm.selection.memo import by_identity


def test_made_once_for_each_object_and_not_for_its_equal() -> None:
    made: list[object] = []

    @by_identity(maxsize=2)
    def length(values: list[int]) -> int:
        made.append(values)
        return len(values)

    one, same = [1], [1]
    assert (length(one), length(one), length(same)) == (1, 1, 1)
    assert made == [one, same]
    assert length([1, 2]) == 2
    assert length(one) == 1
    assert len(made) == 4, "the third made the first two forgotten"
