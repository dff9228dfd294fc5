from __future__ import annotations

import pytest

from opencpm.protocols.msrp.errors import MsrpError
from opencpm.protocols.msrp.message import ByteRange, Frame, Parser, byte_range, fits, request, response
from tests.transcripts.sip_script import read

SEND = (
    b"MSRP d93kswow SEND\r\nTo-Path: msrp://192.0.2.10:2855/srv-9f31;tcp\r\n"
    b"From-Path: msrp://192.0.2.21:9/s1alice;tcp\r\nMessage-ID: 12339sdqwer\r\nByte-Range: 1-2/2\r\n"
    b"Content-Type: text/plain\r\n\r\nhi\r\n-------d93kswow$\r\n"
)


def texts(frames: list[Frame]) -> list[tuple[str, str | int, bytes, str]]:
    return [(f.tid, f.method or f.status, f.body, f.flag) for f in frames]


def test_request_and_response():
    ok = response("d93kswow", 200, "msrp://192.0.2.21:9/s1alice;tcp", "msrp://192.0.2.10:2855/srv-9f31;tcp")
    frames = Parser().feed(SEND + ok)
    assert texts(frames) == [("d93kswow", "SEND", b"hi", "$"), ("d93kswow", 200, b"", "$")]
    assert frames[0].headers["message-id"] == "12339sdqwer"
    assert ok == (
        b"MSRP d93kswow 200 OK\r\nTo-Path: msrp://192.0.2.21:9/s1alice;tcp\r\n"
        b"From-Path: msrp://192.0.2.10:2855/srv-9f31;tcp\r\n-------d93kswow$\r\n"
    )


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
def test_any_portions(step):
    data = SEND * 3 + b"\r\n" + response("x1234", 413, "a", "b")
    parser, frames = Parser(), []
    for i in range(0, len(data), step):
        frames += parser.feed(data[i : i + step])
    assert [f.tid for f in frames] == ["d93kswow"] * 3 + ["x1234"]
    assert all(f.body == b"hi" for f in frames[:3])


def test_builder_gives_what_the_parser_takes():
    body = b"\r\n-------d93k\r\n\r\n-------d93kswowX$\r\n--"
    for flag in "$+#":
        data = request("d93kswow", "SEND", "to", "from", [("Message-ID", "m")], body, flag)
        assert texts(Parser().feed(data)) == [("d93kswow", "SEND", body, flag)]
    assert fits("d93kswo", b"")
    assert not fits("d93kswow", body)


def test_no_body_and_empty_body():
    bare, empty, direct = Parser().feed(
        request("aaaa", "SEND", "t", "f")
        + request("bbbb", "SEND", "t", "f", [("Content-Type", "x/y")], b"")
        + b"MSRP cccc SEND\r\nTo-Path: t\r\n\r\n-------cccc$\r\n"
    )
    assert (bare.has_body, empty.has_body, direct.has_body) == (False, True, True)
    assert bare.body == empty.body == direct.body == b""


def test_a_long_body_comes_in_pieces_and_in_linear_time():
    body = bytes(range(256)) * 4096 * 4  # 4 MiB
    data = request("tid1", "SEND", "t", "f", [("Content-Type", "x/y")], body) + SEND
    parser, frames = Parser(), []
    for i in range(0, len(data), 4096):
        frames += parser.feed(data[i : i + 4096])
    *pieces, send = frames
    assert len(pieces) > 30
    assert [p.flag for p in pieces] == [""] * (len(pieces) - 1) + ["$"]
    assert b"".join(p.body for p in pieces) == body
    assert [p.offset for p in pieces[:2]] == [0, len(pieces[0].body)]
    assert send.body == b"hi"
    assert max(len(p.body) for p in pieces) < 80_000


def test_recorded_file_transfer_frames():
    for event in read("sip-msrp-file-transfer.txt"):
        if event.transport == "MSRP":
            (frame,) = Parser().feed(event.data)
            assert frame.flag in "$+"
            assert (len(frame.body) == 128) == (not event.whole)


def test_recorded_chat_in_one_segment():
    data = b"".join(e.data for e in read("sip-msrp-chat-session.txt") if e.transport == "MSRP")
    kinds = [f.method or f.status for f in Parser().feed(data)]
    assert kinds == ["SEND", 200, "SEND", "SEND", 200, "REPORT", "SEND", 200, "REPORT"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"MSRP  SEND\r\n",
        b"MSRP a b c\r\n",
        b"MSRP aaaa send\r\n",
        b"MSRP aaaa 20\r\n",
        b"MSRP aaaa SEND\r\nA: b\r\n-------aaaa!\r\n",
        b"MSRP aaaa SEND\r\nA: " + b"b" * 20000,
        b"M" * 20000,
    ],
)
def test_errors(data):
    with pytest.raises(MsrpError):
        Parser().feed(data)


@pytest.mark.parametrize("headers", [b"no colon\r\n", b"A: \xff\r\n", b"A: b\r\n" * 70])
def test_flaws_that_leave_the_frame_clear(headers):
    bad, good = Parser().feed(b"MSRP aaaa SEND\r\nTo-Path: x\r\n" + headers + b"-------aaaa$\r\n" + SEND)
    assert bad.flaw
    assert (bad.headers["to-path"], good.flaw, good.body) == ("x", "", b"hi")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ByteRange(1, None, None)),
        ("1-0/0", ByteRange(1, 0, 0)),
        ("1-*/300000", ByteRange(1, None, 300000)),
        ("65537-131072/*", ByteRange(65537, 131072, None)),
    ],
)
def test_byte_range(value, expected):
    assert byte_range(value) == expected


@pytest.mark.parametrize("value", ["", "1-2", "a-b/c", "-1-2/3", "1-2/" + "9" * 30])
def test_byte_range_errors(value):
    with pytest.raises(MsrpError):
        byte_range(value)
