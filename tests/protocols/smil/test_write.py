from __future__ import annotations

from opencpm.protocols.smil import Item, Page, pages_of, parse, write

IMAGE, TEXT, AUDIO = Item("img", "a.jpg"), Item("text", "t.txt"), Item("audio", "a.amr", 12.3)


def test_a_text_goes_with_the_media_before_it():
    assert pages_of([TEXT, IMAGE, TEXT, TEXT, AUDIO, IMAGE]) == (
        Page((TEXT,)),
        Page((IMAGE, TEXT)),
        Page((TEXT,)),
        Page((AUDIO,)),
        Page((IMAGE,)),
    )
    assert pages_of([]) == ()


def test_what_was_written_is_read():
    pages = pages_of([IMAGE, TEXT, Item("ref", 'x&"<>.vcf', alt="a & b"), Item("video", "v.3gp")])
    presentation = parse(write(pages, width=320, height=240))
    assert presentation == (pages, 320, 240)


def test_durations():
    def written(*items):
        return write([Page(items)]).decode()

    assert 'dur="5s"' in written(IMAGE, TEXT)
    assert 'dur="13s"' in written(AUDIO)
    assert 'dur="10s"' in written(Item("video", "v"))
    assert 'dur="3s"' in written(Item("video", "v", 3.0), TEXT)
    assert 'dur="5s"' in written(Item("video", "v", -3.0))
