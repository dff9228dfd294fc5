"""Any octets as mail: reports and content never fail but as documented, and stay within their bounds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.protocols.mail.content import MAX_PARTS, composed, file_name, leaves, text_of_html
from opencpm.protocols.mail.reports import (
    Dsn,
    DsnRecipient,
    Envelope,
    Mdn,
    hops,
    is_automatic,
    read_report,
    write_dsn,
    write_mdn,
)
from opencpm.protocols.mime import MimeError, Part

ENVELOPE = Envelope("a@b.test", "c@d.test", 0.0, "x@b.test", "=_x")
DSN = write_dsn(ENVELOPE, "b.test", Dsn((DsnRecipient("e@f.test", "failed", "5.1.1", "no"),), "y@b.test", "e1"), "t")
MDN = write_mdn(ENVELOPE, "b.test", Mdn("y@b.test", "e@f.test", "displayed"), "t")
MAIL = (
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n'
    b"--y\r\nContent-Type: text/html\r\n\r\n<p>hi\r\n--y--\r\n--x\r\nContent-Type: text/plain; charset=koi8-r\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n8PLJ18XU\r\n--x--\r\n"
)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good mail with a piece replaced."""
    start = draw(st.integers(0, len(good)))
    end = draw(st.integers(start, min(len(good), start + 60)))
    return good[:start] + draw(st.binary(max_size=40)) + good[end:]


@given(st.one_of(st.binary(max_size=2000), damaged(DSN), damaged(MDN)))
@settings(max_examples=300)
def test_reports(data: bytes) -> None:
    found = read_report(data)
    if isinstance(found, Dsn):
        assert found.recipients
        assert all("\n" not in one.final for one in found.recipients)
        assert isinstance(read_report(write_dsn(ENVELOPE, "b.test", found, "again")), Dsn)


@given(st.one_of(st.binary(max_size=2000), damaged(MAIL.partition(b"\r\n\r\n")[2])), st.text(max_size=60))
@settings(max_examples=300)
def test_content(body: bytes, more: str) -> None:
    for content_type in ('multipart/mixed; boundary="x"', f"text/plain; charset={more}", f"image/png; name={more}"):
        try:
            found = leaves(Part((("Content-Type", content_type),), body))
        except MimeError:
            continue
        assert len(found) <= MAX_PARTS
        for part in found:
            if part.content_type.startswith("text/plain"):
                part.body.decode()
        if found:
            written = composed(found, "=_boundary-of-ours")
            again = leaves(Part(written.headers, written.body))
            assert len(again) == len(found)


@given(st.text(max_size=300))
def test_pages_and_names(text: str) -> None:
    text_of_html(text)
    name = file_name(Part((("Content-Disposition", text), ("Content-Type", f"a/b; name*={text}")), b""))
    assert "/" not in name
    assert '"' not in name
    headers = (("Auto-Submitted", text), ("Received", text))
    assert isinstance(is_automatic(headers), bool)
    assert hops(headers) == 1
