import pytest

from opencpm.protocols.sip.dialog import dialog_id, uac_dialog, uas_dialog, without_tag
from opencpm.protocols.sip.message import parse
from opencpm.protocols.sip.response import Refusal


def message(start: str, *lines: str):
    return parse("\r\n".join([start, *lines, "", ""]).encode())


INVITE = message(
    "INVITE sip:bob@cpm.test SIP/2.0",
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>",
    'From: "Alice" <sip:alice@cpm.test>;tag=a',
    "To: <sip:bob@cpm.test>",
    "Call-ID: c",
    "CSeq: 5 INVITE",
    "Contact: <sip:alice@192.0.2.1;transport=tcp>;+g.x",
)
OK = message(
    "SIP/2.0 200 OK",
    "Record-Route: <sip:p1;lr>, <sip:p2;lr>",
    'From: "Alice" <sip:alice@cpm.test>;tag=a',
    "To: <sip:bob@cpm.test>;tag=b",
    "Call-ID: c",
    "CSeq: 5 INVITE",
    "Contact: <sip:bob@cpm.test;gr=urn:uuid:1>",
)


def bye(number: int, extra: str = "X: y"):
    return message(
        "BYE sip:x SIP/2.0", "From: <sip:alice@cpm.test>;tag=a", "To: <sip:bob@cpm.test>;tag=b", "Call-ID: c",
        f"CSeq: {number} BYE", extra,
    )  # fmt: skip


def test_the_answering_side():
    dialog = uas_dialog(INVITE, "b")
    assert dialog.id == ("c", "b", "a")
    assert dialog.route_set == ("<sip:p1;lr>", "<sip:p2;lr>")
    uri, fields = dialog.next_request("BYE")
    assert uri == "sip:alice@192.0.2.1;transport=tcp"
    assert fields == [
        ("Max-Forwards", "70"),
        ("Route", "<sip:p1;lr>"),
        ("Route", "<sip:p2;lr>"),
        ("From", "<sip:bob@cpm.test>;tag=b"),
        ("To", '"Alice" <sip:alice@cpm.test>;tag=a'),
        ("Call-ID", "c"),
        ("CSeq", "1 BYE"),
    ]


def test_the_asking_side_reverses_the_route_and_repeats_its_number_in_the_ack():
    dialog = uac_dialog(INVITE, OK)
    assert dialog.id == ("c", "a", "b")
    uri, fields = dialog.ack(5)
    assert uri == "sip:bob@cpm.test;gr=urn:uuid:1"
    assert [v for n, v in fields if n == "Route"] == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert ("CSeq", "5 ACK") in fields
    assert ("CSeq", "6 BYE") in dialog.next_request("BYE")[1]


def test_a_strict_router_stands_in_the_request_uri():
    strict = parse(b"INVITE sip:bob@cpm.test SIP/2.0\r\nRecord-Route: <sip:old>, <sip:p2;lr>\r\n"
                   b"Contact: <sip:a@h>\r\nCSeq: 1 INVITE\r\n\r\n")  # fmt: skip
    uri, fields = uas_dialog(strict, "b").next_request("BYE")
    assert uri == "sip:old"
    assert [v for n, v in fields if n == "Route"] == ["<sip:p2;lr>", "<sip:a@h>"]


def test_requests_out_of_order_are_refused_and_acks_do_not_count():
    dialog = uas_dialog(INVITE, "b")
    dialog.take_request(bye(7))
    with pytest.raises(Refusal) as refusal:
        dialog.take_request(bye(7))
    assert refusal.value.status == 500
    dialog.take_request(message("ACK sip:x SIP/2.0", "CSeq: 5 ACK"))
    assert dialog.remote_cseq == 7


def test_target_refresh():
    dialog = uas_dialog(INVITE, "b")
    dialog.take_request(message("UPDATE sip:x SIP/2.0", "CSeq: 6 UPDATE", "Contact: <sip:new@h>"))
    assert dialog.remote_target == "sip:new@h"
    dialog.take_request(message("UPDATE sip:x SIP/2.0", "CSeq: 7 UPDATE", "Contact: <broken"))
    assert dialog.remote_target == "sip:new@h"


def test_an_invite_without_a_readable_contact_makes_no_dialog():
    for contact in ("X: y", "Contact: <broken"):
        with pytest.raises(Refusal):
            uas_dialog(message("INVITE sip:b SIP/2.0", contact, "CSeq: 1 INVITE"), "b")


def test_dialog_id_is_seen_from_the_receiver():
    assert dialog_id(bye(6)) == ("c", "b", "a")
    assert dialog_id(INVITE) is None


def test_without_tag():
    assert without_tag("sip:bob@cpm.test;tag=1") == "<sip:bob@cpm.test>"
    assert without_tag('"B" <sip:b@c>;tag=1') == '"B" <sip:b@c>'
    assert without_tag("<sip:b@c>") == "<sip:b@c>"
