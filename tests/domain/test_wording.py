"""Answers by a word."""

from __future__ import annotations

import pytest

from opencpm.domain.wording import says

YES = ("YES", "Y", "OK", "JA", "はい", "1")


@pytest.mark.parametrize("text", ["yes", " Yes! ", "y", "O.K.", "ja…", "はい", "１", "YES\n"])
def test_the_word_alone(text: str) -> None:
    assert says(text, YES)


@pytest.mark.parametrize("text", ["yes please", "", "!", "no", "yesyes", "y" * 21, "yes" + " " * 30])
def test_anything_else_is_a_message(text: str) -> None:
    assert not says(text, YES)
