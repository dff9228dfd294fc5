"""Content of mail as parts, and parts as mail; the standard library's package is the other reader and writer."""

from __future__ import annotations

import email
from email import policy
from email.message import EmailMessage

import pytest

from opencpm.protocols.mail.content import composed, file_name, leaves, text_of_html
from opencpm.protocols.mime import MimeError, Part
from opencpm.protocols.mm4.headers import read_headers


def part_of(message: EmailMessage) -> Part:
    headers, body = read_headers(message.as_bytes(policy=policy.SMTP))
    return Part(tuple((n, v) for n, v in headers if n.lower().startswith("content-")), body)


def shown(parts: tuple[Part, ...]) -> list[tuple[str, bytes]]:
    return [(part.content_type, part.body) for part in parts]


def test_text_alternatives_and_files_of_somebody_else() -> None:
    message = EmailMessage()
    message.set_content("Grüße\n", charset="iso-8859-1")
    message.add_alternative("<p>Gr&uuml;&szlig;e</p>", subtype="html")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="Übersicht.png")
    assert shown(leaves(part_of(message))) == [
        ("text/plain; charset=utf-8", "Grüße\r\n".encode()),
        ('image/png; name="Übersicht.png"', b"\x89PNG"),
    ]


def test_html_alone_is_read_as_text() -> None:
    message = EmailMessage()
    page = "<head><title>x</title><style>p{}</style></head><p>Hello<br>Bob &amp; all</p><script>evil()</script>"
    message.set_content(page, subtype="html")
    assert leaves(part_of(message))[0].body == b"Hello\nBob & all"


@pytest.mark.parametrize(
    ("html", "text"),
    [("", ""), ("a < b", "a < b"), ("<div>one</div><div>two</div>", "one\n\ntwo"), ("<b>x", "x"), ("<" * 5000, None)],
)
def test_pages_of_any_kind(html: str, text: str | None) -> None:
    found = text_of_html(html)
    assert text is None or found == text


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-16", "no-such", "rot13", "unicode_escape"])
def test_charsets(charset: str) -> None:
    codec = charset if charset in ("windows-1251", "koi8-r", "utf-16") else "utf-8"
    part = Part((("Content-Type", f"text/plain; charset={charset}"),), "Привет".encode(codec))
    assert leaves(part)[0].body.decode() == "Привет"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a.jpg"', "a.jpg"),
        ("attachment; filename*=UTF-8''%C3%9Cbersicht.jpg", "Übersicht.jpg"),
        ("attachment; filename*=iso-8859-1'de'%DCbersicht.jpg", "Übersicht.jpg"),
        ('attachment; filename="=?utf-8?q?=C3=9C?="', "Ü"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\x\\\\y.doc"', "y.doc"),
        ("inline", ""),
    ],
)
def test_names_of_files(header: str, name: str) -> None:
    assert file_name(Part((("Content-Disposition", header),), b"")) == name


def test_what_is_too_deep_or_too_many() -> None:
    inner = Part((("Content-Type", "text/plain"),), b"x")
    for depth in range(8):
        boundary = f"b{depth}"
        body = b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n--%s--\r\n" % (
            boundary.encode(),
            inner.content_type.encode(),
            inner.body,
            boundary.encode(),
        )
        inner = Part((("Content-Type", f"multipart/mixed; boundary={boundary}"),), body)
    with pytest.raises(MimeError):
        leaves(inner)
    with pytest.raises(MimeError):
        leaves(Part((("Content-Type", "multipart/mixed; boundary=x"),), b"--x\r\n\r\na\r\n" * 200))


def test_signatures_are_left_out() -> None:
    body = b"--x\r\n\r\nhi\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--x--\r\n"
    assert len(leaves(Part((("Content-Type", "multipart/signed; boundary=x"),), body))) == 1


@pytest.mark.parametrize("text", ["Hello\nBob", "Grüße 😀\nBob", "x" * 3000, ".\nFrom me\n", "a=b\t"])
def test_what_we_write_is_read_by_somebody_else(text: str) -> None:
    files = [
        Part((("Content-Type", 'image/jpeg; name="a.jpg"'),), bytes(range(256))),
        Part((("Content-Type", 'application/pdf; name="Übersicht.pdf"'),), b"%PDF"),
    ]
    words = Part((("Content-Type", "text/plain; charset=utf-8"),), text.encode())
    for parts in ([words], [words, *files]):
        written = composed(parts, "=_b")
        head = "".join(f"{name}: {value}\r\n" for name, value in written.headers)
        data = f"MIME-Version: 1.0\r\n{head}\r\n".encode() + written.body
        assert data.isascii()
        assert max(map(len, data.split(b"\r\n"))) <= 998
        parsed = email.message_from_bytes(data, policy=policy.default)
        assert not [one.defects for one in parsed.walk() if one.defects]
        body = parsed.get_body()
        assert body is not None
        assert body.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
        names = [one.get_filename() for one in parsed.iter_attachments()]
        assert names == (["a.jpg", "Übersicht.pdf"] if len(parts) > 1 else [])
        again = leaves(Part(written.headers, written.body))
        assert [part.body for part in again][1:] == [part.body for part in parts][1:]
