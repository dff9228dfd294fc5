from opencpm.domain.address import Address, tel
from opencpm.domain.message import Message, Part, message_ident, text_part

ALICE = Address("sip", "alice@cpm.test")


def message(*parts: Part) -> Message:
    return Message(
        id="x",
        message_id="m",
        sender=ALICE,
        recipients=(tel("+12025550101"),),
        parts=parts,
        sent_at=1.0,
        received_at=2.0,
        origin="sip",
    )


def test_a_repeated_message_has_the_same_id_and_another_has_not() -> None:
    assert message_ident(ALICE, "m1") == message_ident(Address("sip", "alice@cpm.test"), "m1")
    assert message_ident(ALICE, "m1") != message_ident(ALICE, "m2")
    assert message_ident(ALICE, "m1") != message_ident(tel("+12025550100"), "m1")
    assert len(message_ident(ALICE, "m1")) == 24


def test_text_joins_the_text_parts_only() -> None:
    assert message(text_part("Hi")).text == "Hi"
    assert message(text_part("Hi"), Part("image/png", b"\x89"), text_part("there")).text == "Hi\nthere"
    assert message(Part("image/png", b"\x89")).text == ""


def test_charset_is_read_and_what_is_invalid_is_replaced() -> None:
    assert Part('text/plain; charset="iso-8859-1"', b"caf\xe9").text == "café"
    assert Part("text/plain;charset=utf8", "café".encode()).text == "café"
    assert Part("text/plain;charset=rot13", b"abc").text == "abc"
    assert Part("text/plain", b"\xff").text == "\ufffd"


def test_size_counts_content() -> None:
    assert message(text_part("é"), Part("image/png", b"123")).size == 5
    assert Part("Text/Plain; charset=utf-8", b"").media_type == "text/plain"
