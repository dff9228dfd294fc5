"""Whatever octets arrive: only MsnpError from the codec, and nothing at all from the machines."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.msnp import (
    addressbook,
    commands,
    dialects,
    membership,
    notices,
    oim,
    p2p,
    payload,
    personal,
    rst,
    slp,
    soap,
    sso,
    transfers,
    tweener,
)
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
        "RML",
        "FQY",
        "UBM",
        "UUX",
        "INF",
        "ADG",
        "RMG",
        "REG",
        "REA",
        "SBP",
        "PRP",
        "BLP",
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
            "SSO",
            "MD5",
            "1:bob@x.y",
            "MFN",
            "RL",
            "g-1",
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


@given(st.sampled_from(range(dialects.OLDEST, dialects.NEWEST + 1)), STREAM, STREAM)
def test_notification_machine_of_every_dialect(number: int, first: bytes, second: bytes) -> None:
    name = f"MSNP{number}"
    client = NotificationClient(SignOn("alice@example.com", (name,), machine="{G}", message="m"))
    client.start(0.0)
    login = dialects.login(number).value
    client.receive(f"VER 1 {name}\r\nCVR 2\r\nINF 3 MD5\r\nUSR 4 {login} S x y\r\n".encode(), 0.0)
    if client.state.name == "TICKET":
        client.ticket("t", 0.0, "r")
    client.receive(b"USR 4 OK a 1 0\r\nUSR 5 OK a 1 0\r\n" + first, 0.0)
    if client.state.name == "LISTS" and number >= 13:
        client.lists([commands.Contact("bob@x.y", "B", commands.Lists(3))], 0.0, privacy="AL", name="A")
        client.receive(b"ADL 6 OK\r\nCHG 9 NLN 0\r\n", 0.0)
    client.receive(second, 1.0)
    client.poll(1000.0)
    client.take()
    client.receive_eof(1001.0)


XML = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [
                b"<a>",
                b"</a>",
                b"<MD>",
                b"</MD>",
                b"<M><T>11</T><I>1</I><E>a@b.c</E></M>",
                b"<ml>",
                b"</ml>",
                b'<d n="x.y">',
                b"</d>",
                b'<c n="b" l="99"/>',
                b"<Data>",
                b"</Data>",
                b"<PSM>x</PSM>",
                b"<Fault><faultcode>psf:Redirect</faultcode></Fault>",
                b"<Contact><passportName>a@b.c</passportName></Contact>",
                b"<Membership><MemberRole>Allow</MemberRole><Member><Email>a@b.c</Email></Member></Membership>",
                b"<GetMessageResult>From: a@b.c&#10;&#10;x</GetMessageResult>",
                b"<RequestSecurityTokenResponse><Address>x</Address></RequestSecurityTokenResponse>",
                b"&amp;",
                b"<!DOCTYPE a>",
            ]
        ),
        max_size=8,
    ).map(b"".join),
)


@given(XML, st.sampled_from([200, 302, 500]))
def test_web_services(data: bytes, status: int) -> None:
    reply = soap.HttpReply(status, {}, data)
    for read in (
        addressbook.memberships,
        addressbook.book,
        addressbook.new_guid,
        rst.tokens,
        oim.message,
        oim.metadata,
        oim.stored,
    ):
        try:
            read(reply)
        except MsnpError:
            pass
    for parse in (membership.parse, personal.parse):
        try:
            parse(data)
        except MsnpError:
            pass
    login = rst.TokenLogin("a@b.c", "p", "https://x.y/", rst.wanted("P"))
    login.response(reply)
    login.request()


@given(st.text(max_size=300))
def test_mails_and_words(text: str) -> None:
    for parse in (oim.read_mail, notices.mail_data, sso.take_apart):
        try:
            parse(text)
        except MsnpError:
            pass
    notices.moment(text)
    notices.name(text)
    oim.ticket_parts(text)


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


@given(st.binary(max_size=200), st.lists(st.binary(max_size=120), max_size=4))
def test_peer_to_peer(data: bytes, bodies: list[bytes]) -> None:
    for parse in (p2p.parse, slp.parse):
        try:
            parse(data)
        except MsnpError:
            pass
    try:
        slp.read_file_context(data.decode("latin-1"))
    except MsnpError:
        pass
    machine = transfers.Transfers("bob@x.y", 1000, lambda: "{G}", lambda: 7)
    head = {"p2p-dest": "bob@x.y"}
    for number, body in enumerate(bodies):
        packets = p2p.pieces(number % 2, number + 1, 5, body, 0, 0)
        for packet in packets:
            built = payload.parse(p2p.build(packet, "bob@x.y"))
            machine.receive("alice@x.y", built)
        machine.receive("alice@x.y", payload.Payload(head, body))


@given(st.text(max_size=20))
def test_encoded_names(text: str) -> None:
    for encoded in (f"=?utf-8?B?{text}?=", f"=?{text}?Q?x?="):
        assert isinstance(notices.name(encoded), str)
