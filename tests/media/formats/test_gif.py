import pytest

from opencpm.media import MediaError
from opencpm.media.formats import gif
from tests.media.pictures import GPS, animation, opened


def test_comments_go_and_frames_stay():
    given = animation(frames=4)
    body = gif.stripped(given.body + b"PK\x03\x04")
    assert GPS in given.body
    assert GPS not in body
    assert not body.endswith(b"\x04")
    kept = opened(given._replace(body=body))
    assert (kept.n_frames, kept.info["loop"]) == (4, 0)


def test_cut_off():
    with pytest.raises((MediaError, IndexError)):
        gif.stripped(animation().body[:-30])


def test_endless_blocks_end():
    with pytest.raises(MediaError):
        list(gif.blocks(b"GIF89a\x01\0\x01\0\0\0\0" + b"!\xfe\0" * 200_000))
