"""Markup out, text whole."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg.packet import decoded
from opencpm.protocols.ymsg.text import LONGEST, is_nudge, pieces, plain


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ('<font face="Arial" size="12">Hi</font>', "Hi"),
        ("<fade #ff0000,#0000ff>red</fade> <alt #f00,#00f>x</alt>", "red x"),
        ("\x1b[1mbold\x1b[x1m \x1b[#ff0000mred\x1b[38m \x1b[lmhttp://a\x1b[xlm", "bold red http://a"),
        ("I <3 you & 1 < 2 > 0", "I <3 you & 1 < 2 > 0"),
        ("<b>a</b><i>b</i><u>c</u>", "abc"),
        ("<body>kept</body>", "<body>kept</body>"),
        ("<b", "<b"),
    ],
)
def test_markup(marked: str, text: str) -> None:
    assert plain(marked) == text


def test_nudges() -> None:
    assert is_nudge("<ding>")
    assert is_nudge(" <DING> ")
    assert not is_nudge("ding")


def test_long_texts_are_cut_between_words_and_nothing_is_lost() -> None:
    text = "word " * 400
    cut = pieces(text)
    assert "".join(cut) == text
    assert all(len(piece) <= LONGEST and piece.endswith(" ") for piece in cut)
    assert "".join(pieces("ä" * 3000)) == "ä" * 3000
    assert pieces("") == []
    assert max(len(piece.encode()) for piece in pieces("🎫" * 900)) <= 1800


def test_charsets() -> None:
    assert decoded("é".encode()) == decoded(b"\xe9") == "é"
