import pytest

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, FrameReader, Sender, encode, quote, unquote


def read(data: bytes, sender: Sender = Sender.SERVER) -> list[Frame]:
    return FrameReader(sender).feed(data)


def test_lines_and_payloads_in_one_read() -> None:
    frames = read(b"VER 1 MSNP12\r\nMSG Hotmail Hotmail 3\r\nabcQNG 60\n")
    assert frames == [
        Frame("VER", ("1", "MSNP12")),
        Frame("MSG", ("Hotmail", "Hotmail", "3"), b"abc"),
        Frame("QNG", ("60",)),
    ]


def test_octet_by_octet() -> None:
    reader = FrameReader()
    found = [frame for octet in b"UBX bob@x 2\r\n\r\nPNG\r\n" for frame in reader.feed(bytes([octet]))]
    assert found == [Frame("UBX", ("bob@x", "2"), b"\r\n"), Frame("PNG")]


@pytest.mark.parametrize(
    ("line", "payload"),
    [
        (b"ADL 6 OK", None),
        (b"UUX 5 0", b""),
        (b"UBX bob@example.com 0", b""),
        (b"QRY 7", None),
        (b"217 2", None),
        (b"217 2 bob@example.com", None),
        (b"241 6 2", b"ab"),
    ],
)
def test_where_a_payload_follows(line: bytes, payload: bytes | None) -> None:
    first, second = read(line + b"\r\n" + (payload or b"") + b"QNG\r\n")
    assert first.payload == payload
    assert second == Frame("QNG")


def test_the_client_s_challenge_answer_has_a_payload() -> None:
    (frame,) = read(b"QRY 7 PROD 2\r\nab", Sender.CLIENT)
    assert frame.payload == b"ab"


@pytest.mark.parametrize(
    "data",
    [
        b"ver 1\r\n",
        b"\x00\x01\r\n",
        b"MSG a b\r\n",
        b"MSG a b 99999\r\n" + b"x",
        b"A" * 9000,
        b"VER" + b" 1" * 80 + b"\r\n",
    ],
)
def test_what_is_not_msnp(data: bytes) -> None:
    reader = FrameReader()
    with pytest.raises(MsnpError):
        reader.feed(data)
    with pytest.raises(MsnpError):
        reader.feed(b"QNG\r\n")


def test_trailing_space_of_lists() -> None:
    (frame,) = read(b"LST N=bob@example.com 19 1 \r\n")
    assert frame.args == ("N=bob@example.com", "19", "1")


def test_encode() -> None:
    assert encode("MSG", 3, "A", payload=b"hi") == b"MSG 3 A 2\r\nhi"


@pytest.mark.parametrize("field", ["a b", "a\r\nOUT", "", "a\x00"])
def test_a_field_cannot_smuggle_a_command(field: str) -> None:
    with pytest.raises(MsnpError):
        encode("CAL", 1, field)


def test_names() -> None:
    assert quote("Bob ☃ 100% @home+") == "Bob%20%E2%98%83%20100%25%20@home+"
    assert unquote(quote("Bob ☃ 100% @home+")) == "Bob ☃ 100% @home+"
    assert unquote("%ff") == "\ufffd"
