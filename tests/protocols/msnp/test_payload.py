import pytest

from opencpm.protocols.msnp import payload
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.payload import Font


def test_recorded_sizes() -> None:
    # The counts that the recordings show.
    assert len(payload.text("Hello Bob ☃")) == 130
    assert len(payload.typing("alice@example.com")) == 90
    assert len(payload.nudge()) == 69


def test_text_there_and_back() -> None:
    data = payload.parse(payload.text("one\ntwo\r\nthree\rfour"))
    assert data.body == b"one\r\ntwo\r\nthree\r\nfour"
    assert payload.decode_text(data) == "one\ntwo\nthree\nfour"
    assert data.content_type == "text/plain"
    assert payload.parse_font(data.headers["x-mms-im-format"]) == Font()


def test_header_names_without_case_and_odd_lines() -> None:
    data = payload.parse(b"content-TYPE: Text/Plain; Charset=utf-8\r\nnonsense\r\nempty:\r\n\r\nx\r\n\r\ny")
    assert (data.content_type, data.charset) == ("text/plain", "utf-8")
    assert data.headers["empty"] == ""
    assert data.body == b"x\r\n\r\ny"


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        (b"Content-Type: text/plain\r\n\r\n", "é".encode(), "é"),
        (b"Content-Type: text/plain\r\n\r\n", b"\xe9", "é"),
        (b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n", b"\xe9", "é"),
        (b"Content-Type: text/plain; charset=idna\r\n\r\n", b"xn--a", "xn--a"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\n", b"\xff", "ÿ"),
    ],
)
def test_charsets(head: bytes, body: bytes, text: str) -> None:
    assert payload.decode_text(payload.parse(head + body)) == text


def test_font() -> None:
    font = Font("Comic Sans MS", "BI", "ff", "0", "22", True)
    assert font.header() == "FN=Comic%20Sans%20MS; EF=BI; CO=ff; CS=0; PF=22; RL=1"
    assert payload.parse_font(font.header()) == font
    assert payload.parse_font("EF=xyzU; CO=red") == Font(effects="U")


def test_nudge() -> None:
    assert payload.datacast_id(payload.parse(payload.nudge())) == 1
    assert payload.datacast_id(payload.parse(b"\r\n\r\nID: many")) == 0


def test_a_header_cannot_hold_a_line_break() -> None:
    with pytest.raises(MsnpError):
        payload.typing("a@b\r\nX: y")


def test_bounds() -> None:
    with pytest.raises(MsnpError):
        payload.parse(b"a: b\r\n" * 70 + b"\r\n")
    with pytest.raises(MsnpError):
        payload.parse(b"a" * 20000)
