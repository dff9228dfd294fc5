"""Every parser of bodies and of MSRP meets bytes nobody meant: it raises its own error or gives a value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.protocols import cpim, fthttp, imdn, iscomposing, mime, resource_lists, sdp
from opencpm.protocols.msrp.connection import Connection
from opencpm.protocols.msrp.errors import MsrpError
from opencpm.protocols.msrp.message import Parser, request
from opencpm.protocols.msrp.session import Session
from opencpm.protocols.msrp.uri import parse_path

CPIM = cpim.compose(b"Hello", "text/plain", message_id="m", datetime="2026-11-23T07:26:38Z", dispositions=("display",))
IMDN = imdn.build(imdn.Imdn("m", "2026-11-23T07:26:38Z", "delivery", "delivered", "sip:bob@cpm.test"))
TYPING = iscomposing.build(iscomposing.IsComposing(True))
LIST = resource_lists.build([resource_lists.Entry("sip:bob@cpm.test", "bcc", True, "B")])
SDP = sdp.build(sdp.MsrpMedia(path="msrp://h:1/s;tcp", host="192.0.2.1"), session_id=1, version=1)
FT_HTTP = fthttp.build(
    fthttp.Transfer(fthttp.FileInfo("https://h/f", 1, "image/png", "2026-12-23T00:00:00Z", "a.png", "render", 3))
)
RESUME = fthttp.build_resume(fthttp.Resume("https://h/u", 0, 99))
MULTIPART = mime.build_multipart([mime.Part((("Content-Type", "message/imdn+xml"),), IMDN)], "b")
LOCAL, REMOTE = "msrp://h:1/us;tcp", "msrp://h:2/them;tcp"
MSRP = request("tid1", "SEND", LOCAL, REMOTE, [("Message-ID", "m"), ("Content-Type", "text/plain")], b"hello", "+")


def mutated(sample: bytes) -> st.SearchStrategy[bytes]:
    """The sample with a stretch replaced, doubled or left out, or anything at all."""
    spots = st.tuples(st.integers(0, len(sample)), st.integers(0, 40), st.binary(max_size=20), st.integers(1, 3))
    changed = spots.map(lambda s: sample[: s[0]] * s[3] + s[2] + sample[s[0] + s[1] :])
    return st.one_of(changed, changed, st.binary(max_size=200))


def terms(body: bytes) -> object:
    description = sdp.parse(body)
    _, found = sdp.msrp_media(description)
    return sdp.parse(sdp.answer(description, found, session_id=1, version=1))


PARSERS: list[tuple[bytes, Callable[[bytes], object], type[ValueError]]] = [
    (CPIM, cpim.parse, cpim.CpimError),
    (IMDN, imdn.parse, imdn.ImdnError),
    (MULTIPART, lambda b: imdn.parse_body("multipart/mixed;boundary=b", b), imdn.ImdnError),
    (TYPING, iscomposing.parse, iscomposing.IsComposingError),
    (LIST, resource_lists.parse, resource_lists.ResourceListsError),
    (SDP, terms, sdp.SdpError),
    (FT_HTTP, lambda b: fthttp.parse(fthttp.build(fthttp.parse(b))), fthttp.FtHttpError),
    (RESUME, fthttp.parse_resume, fthttp.FtHttpError),
    (MULTIPART, lambda b: mime.split_multipart("multipart/mixed;boundary=b", b), mime.MimeError),
    (b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62", lambda b: mime.decode_content(b, "deflate, gzip"), mime.MimeError),
    (b"msrp://h:1/us;tcp", lambda b: parse_path(b.decode("latin-1")), MsrpError),
]


@pytest.mark.parametrize(("sample", "parse", "error"), PARSERS)
def test_bodies(sample, parse, error):
    @settings(max_examples=150, deadline=None)
    @given(mutated(sample))
    def run(body: bytes) -> None:
        try:
            parse(body)
        except error:
            pass

    run()


@given(st.text(max_size=100))
def test_content_type(text):
    media, parameters = mime.parse_content_type(text)
    assert media == media.lower()
    assert all(isinstance(v, str) for v in parameters.values())


@settings(max_examples=300, deadline=None)
@given(mutated(MSRP + MSRP.replace(b"+\r\n", b"$\r\n")), st.integers(1, 60))
def test_msrp_connection(data, step):
    session = Session(LOCAL, REMOTE, lambda: "tttt")
    connection = Connection({"us": session}.get, lambda s, c: True)
    try:
        for i in range(0, len(data), step):
            connection.receive(data[i : i + step], 0.0)
    except MsrpError:
        return
    for frame in Parser().feed(connection.take()):
        assert frame.status in (200, 400, 413, 415, 481, 501)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5), st.integers(1, 100), st.integers(1, 64))
def test_what_one_end_sends_the_other_receives(bodies, step, chunk):
    from opencpm.protocols.msrp.session import Limits, Received

    ids = (f"t{i:05d}" for i in range(100000))
    sender = Session(REMOTE, LOCAL, lambda: next(ids), Limits(chunk=chunk, window=10000))
    receiver = Session(LOCAL, REMOTE, lambda: next(ids))
    for i, body in enumerate(bodies):
        sender.send(f"m{i}", "x/y", body, 0.0)
    data, parser, got = sender.take(), Parser(), {}
    for i in range(0, len(data), step):
        for frame in parser.feed(data[i : i + step]):
            for event in receiver.receive(frame, 0.0):
                if isinstance(event, Received):
                    got[event.message_id] = event.body
    assert got == {f"m{i}": body for i, body in enumerate(bodies)}
