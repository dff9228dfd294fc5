"""Forms, ranges, documents and offers of files that nobody meant: their own error, or a value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.access.sip.file_in import Partials, file_in
from opencpm.access.sip.session_content import Parties
from opencpm.access.sip.session_terms import Invitation
from opencpm.access.web.handing import disposition, file_name
from opencpm.access.web.problems import Problem
from opencpm.access.web.ranges import Unsatisfiable, asked, brought
from opencpm.access.web.receiving import _Parser
from opencpm.protocols import sdp
from opencpm.protocols.sip.response import Refusal
from tests.access.sip.rig import ALICE, BOB

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="tid"\r\n\r\nt1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="File"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n--c not yet\r\n\r\n--b--\r\n"
)


def mutated(sample: bytes) -> st.SearchStrategy[bytes]:
    spots = st.tuples(st.integers(0, len(sample)), st.integers(0, 40), st.binary(max_size=20))
    return st.one_of(spots.map(lambda s: sample[: s[0]] + s[2] + sample[s[0] + s[1] :]), st.binary(max_size=200))


def taken(parser: _Parser, *chunks: bytes) -> tuple[list[tuple[str, str, str]], bytes] | None:
    """The heads and the content of a form; None: it is none."""
    pieces = []
    try:
        for chunk in chunks:
            pieces += parser.feed(chunk)
    except Problem as problem:
        if problem.status != 400:
            raise
        return None
    heads = [(p.name, p.file_name, p.content_type) for p in pieces if p.kind == "head"]
    return heads, b"".join(p.data for p in pieces if p.kind == "data")


def test_the_form_is_one() -> None:
    found = taken(_Parser(b"b"), FORM)
    assert found is not None
    assert found[0] == [("tid", "", ""), ("file", "a.png", "image/png")]
    assert found[1] == b"t1\x89PNG\r\n--c not yet\r\n"


@given(mutated(FORM), st.integers(0, len(FORM) + 20))
@settings(max_examples=300)
def test_any_form_however_it_is_cut(form: bytes, cut: int) -> None:
    whole, pieces = taken(_Parser(b"b"), form), taken(_Parser(b"b"), form[:cut], form[cut:])
    if whole is not None and pieces is not None:
        assert pieces == whole


@given(st.text(max_size=80))
def test_any_range(header: str) -> None:
    try:
        span = asked(header, 100)
        assert span is None or 0 <= span.start < span.end <= 100
    except Unsatisfiable:
        pass
    try:
        found = brought(header)
        assert 0 <= found.start < found.end
    except ValueError:
        pass


@given(st.text(max_size=300))
def test_any_name(name: str) -> None:
    bare = file_name(name)
    assert len(bare) <= 150
    assert not set(bare) & set('/\\\r\n\x00"')
    assert disposition("inline", bare).isascii()


ATTRIBUTE = st.tuples(
    st.sampled_from(["file-selector", "file-transfer-id", "file-range", "file-disposition"]),
    st.one_of(
        st.text(alphabet='name:"size123-*;hash sha/', max_size=60),
        st.sampled_from(['name:"a" type:image/png size:5', "1-*", "7-9", "ft-1"]),
    ),
)


@given(st.lists(ATTRIBUTE, max_size=6), st.sampled_from(["sendonly", "recvonly", "sendrecv"]))
def test_any_offer_of_a_file(attributes: list[tuple[str, str]], direction: str) -> None:
    terms = sdp.MsrpMedia(path="msrp://h:1/s;tcp", file=tuple(attributes), direction=direction)
    invitation = Invitation(sdp.SessionDescription("", "", ()), terms)
    try:
        file_in(invitation, Parties(ALICE, BOB, "sip"), Partials(), limit=1000, now=0.0, host="h")
    except Refusal as refusal:
        if refusal.status not in (403, 488):
            raise


def test_too_many_parts_are_no_form() -> None:
    with pytest.raises(Problem):
        _Parser(b"b").feed(b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nx\r\n' * 20)
