"""Whatever octets arrive: only MsnpError from the codec, and nothing at all from the machines."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.msnp import commands, payload, tweener
from opencpm.protocols.msnp.chunks import Assembler
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import FrameReader, Sender, encode, quote, unquote
from opencpm.protocols.msnp.notification import NotificationClient, SignOn
from opencpm.protocols.msnp.switchboard import SwitchboardClient

VERBS = st.sampled_from(
    [
        "VER",
        "CVR",
        "USR",
        "SYN",
        "LST",
        "LSG",
        "CHG",
        "ILN",
        "NLN",
        "FLN",
        "ADD",
        "ADC",
        "REM",
        "XFR",
        "RNG",
        "CHL",
        "QRY",
        "QNG",
        "OUT",
        "ANS",
        "IRO",
        "JOI",
        "CAL",
        "BYE",
        "ACK",
        "NAK",
        "MSG",
        "UBX",
        "NOT",
        "GCF",
        "ADL",
        "217",
        "911",
        "241",
    ]
)
FIELDS = st.one_of(
    st.sampled_from(
        [
            "OK",
            "TWN",
            "S",
            "SB",
            "NS",
            "CKI",
            "NLN",
            "FL",
            "MSNP12",
            "RINGING",
            "0",
            "1",
            "2",
            "3",
            "9",
            "-1",
            "²",
            "1:2",
            "bob@x.y",
            "N=bob@x.y;{1}",
            "C=",
            "h:1",
            "A",
            "U",
        ]
    ),
    st.text(max_size=12),
)
LINES = st.builds(
    lambda verb, fields: " ".join([verb, *fields]).encode() + b"\r\n", VERBS, st.lists(FIELDS, max_size=7)
)
STREAM = st.lists(st.one_of(LINES, st.binary(max_size=60)), max_size=12).map(b"".join)


@given(st.binary(max_size=400), st.sampled_from(Sender))
def test_frames(data: bytes, sender: Sender) -> None:
    try:
        FrameReader(sender).feed(data)
    except MsnpError:
        pass


@given(STREAM, st.integers(1, 9))
def test_cutting_does_not_matter(data: bytes, size: int) -> None:
    def read(pieces: list[bytes]) -> tuple[list[object], bool]:
        reader, found = FrameReader(), []
        try:
            for piece in pieces:
                found += reader.feed(piece)
        except MsnpError:
            return found, True
        return found, False

    whole, broken = read([data])
    cut, cut_broken = read([data[at : at + size] for at in range(0, len(data), size)])
    assert broken == cut_broken
    assert broken or whole == cut


@given(STREAM)
def test_notification_machine(data: bytes) -> None:
    fresh = NotificationClient(SignOn("alice@example.com"))
    fresh.start(0.0)
    fresh.receive(data, 0.0)
    online = NotificationClient(SignOn("alice@example.com"))
    online.start(0.0)
    online.receive(b"VER 1 MSNP12\r\nCVR 2\r\nUSR 3 TWN S x\r\n", 0.0)
    online.ticket("t", 0.0)
    online.receive(b"USR 4 OK a 1 0\r\nSYN 5 0 0 0 0\r\nCHG 6 NLN 0\r\n", 0.0)
    online.switchboard(0.0)
    online.receive(data, 0.0)
    for client in (fresh, online):
        client.poll(1000.0)
        client.take()


@given(STREAM)
def test_switchboard_machine(data: bytes) -> None:
    client = SwitchboardClient("alice@example.com", "ticket")
    client.start(0.0)
    client.receive(b"USR 1 OK alice@example.com A\r\n", 0.0)
    client.call("bob@x.y", 0.0)
    client.receive(b"JOI bob@x.y Bob 32\r\n", 0.0)
    client.text("hello", 0.0)
    client.receive(data, 1.0)
    client.poll(1000.0)
    client.receive_eof(1001.0)


@given(st.binary(max_size=300))
def test_payloads(data: bytes) -> None:
    try:
        said = payload.parse(data)
    except MsnpError:
        return
    payload.decode_text(said)
    payload.datacast_id(said)
    payload.parse_font(said.headers.get("x-mms-im-format", ""))
    Assembler().add("bob@x.y", said, 0.0)


@given(st.text(max_size=60))
def test_headers_and_fields(text: str) -> None:
    for parse in (
        tweener.parse_passport_urls,
        tweener.parse_authorization,
        tweener.parse_authentication_info,
        commands.endpoint,
        commands.address,
    ):
        try:
            parse(text)
        except MsnpError:
            pass


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_names_survive(name: str) -> None:
    assert unquote(quote(name)) == name
    (frame,) = FrameReader().feed(encode("PRP", 1, "MFN", quote(name)))
    assert unquote(frame.args[2]) == name
