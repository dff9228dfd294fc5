"""RFC 5547 attributes: the recorded offer, names with anything in them, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols import sdp_file
from opencpm.protocols.sdp import SdpError
from opencpm.protocols.sdp_file import FileSelector, build_selector, parse_range, parse_selector, selector_of

SEEN = (
    'name:"ft.bin" type:application/octet-stream size:300000 '
    "hash:sha-1:37:CB:4F:31:CF:66:28:F8:BD:73:32:AF:7C:14:C6:A9:9C:51:95:BC"
)


def test_the_recorded_offer() -> None:
    found = parse_selector(SEEN)
    assert found[:4] == ("ft.bin", "application/octet-stream", 300000, "sha-1")
    assert found.hash == "37cb4f31cf6628f8bd7332af7c14c6a99c5195bc"
    assert build_selector(found) == SEEN


def test_only_the_bytes_that_were_announced_fit() -> None:
    selector = selector_of("a.png", "image/png", b"content")
    assert selector.fits(b"content")
    assert not selector.fits(b"contenT")
    assert not selector._replace(hash="", algorithm="").fits(b"more content")
    assert selector._replace(algorithm="md5").fits(b"conten!")
    assert FileSelector(algorithm="sha-256", hash="0" * 64).fits(b"") is False


@pytest.mark.parametrize(
    "value", ["nonsense", "size:-1", "size:" + "9" * 20, "type:nothing", "type:a/b\x00", 'name:"' + "x" * 2000 + '"']
)
def test_what_is_no_selector(value: str) -> None:
    with pytest.raises(SdpError):
        parse_selector(value)


@given(st.text(max_size=80).filter(lambda name: max(name, default="a") < "\ud800" or max(name) > "\udfff"))
def test_any_name_comes_through(name: str) -> None:
    written = build_selector(FileSelector(name, "image/png", 1))
    assert written.isascii()
    assert "\n" not in written
    assert parse_selector(written).name == name


@given(st.text(alphabet='name:type/size hash"%-.0123456789abc;\x00é', max_size=80))
def test_any_value_is_a_selector_or_an_sdp_error(value: str) -> None:
    try:
        found = parse_selector(value)
    except SdpError:
        return
    assert parse_selector(build_selector(found._replace(name=""))).size == found.size


def test_ranges() -> None:
    assert parse_range("1-*") == 1
    assert parse_range("65537-300000") == 65537
    for wrong in ("", "0-*", "-5", "5", "a-*", "5-x", "9" * 20 + "-*"):
        with pytest.raises(SdpError):
            parse_range(wrong)


def test_an_offer_with_an_icon() -> None:
    pairs = dict(sdp_file.attributes(FileSelector("a.png", "image/png", 5), "id1", icon="i@cpm.test"))
    assert pairs["file-icon"] == "cid:i@cpm.test"
    assert pairs["file-transfer-id"] == "id1"
