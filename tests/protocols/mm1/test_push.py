from __future__ import annotations

import pytest

from opencpm.protocols.gsm.udh import split
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.push import MMS_APPLICATION, decode_push, encode_push, from_user_data, user_data

from .vectors import NOTIFICATION, PUSH, fixture

PDU = bytes.fromhex(NOTIFICATION)


def test_the_worked_push():
    assert user_data(encode_push(PDU, 0x25), 0) == (bytes.fromhex(PUSH),)
    push = from_user_data(bytes.fromhex(PUSH))
    assert push == (0x25, "application/vnd.wap.mms-message", MMS_APPLICATION, PDU)
    assert push.is_mms


def test_the_recorded_push_comes_back():
    octets = fixture("mm1-wap-push-sms-userdata.bin")
    push = from_user_data(octets)
    assert user_data(encode_push(push.content, push.transaction), 0) == (octets,)


def test_a_long_one_is_cut():
    pushed = encode_push(PDU * 4, 1)
    pieces = [split(segment) for segment in user_data(pushed, 0x1AB)]
    assert b"".join(content for _, content in pieces) == pushed
    assert [header.concat[:3] for header, _ in pieces] == [(0xAB, len(pieces), n + 1) for n in range(len(pieces))]
    assert all(header.destination_port == 2948 for header, _ in pieces)
    assert {len(segment) for segment in user_data(pushed, 1)[:-1]} == {140}
    assert len(user_data(b"x" * 133, 1)) == 1
    assert len(user_data(b"x" * 134, 1)) == 2
    with pytest.raises(Mm1Error):
        user_data(b"x" * 128 * 256, 1)


@pytest.mark.parametrize(
    ("headers", "application"),
    [
        (b"application/vnd.wap.mms-message\0\x8d\x02\x01\x00\xafx-wap-application:mms.ua\0", MMS_APPLICATION),
        (b"\xbe\xaf\x01\x04", MMS_APPLICATION),
        (b"\xbe", ""),
        (b"\xbe\xaf\x82", "2"),
        (b"\xbe\xaf\0", ""),
        (b"\xbeX-Wap-Application-Id\0x\0other\0y\0", "x"),
    ],
)
def test_headers_of_other_senders(headers, application):
    push = decode_push(b"\x01\x06" + bytes((len(headers),)) + headers + PDU)
    assert (push.is_mms, push.application, push.content) == (True, application, PDU)


@pytest.mark.parametrize(
    "octets", [b"", b"\x01", b"\x01\x07\x01\xbe", b"\x01\x06\x05\xbe", b"\x01\x06\x00", b"\x01\x06\x02\xbe\xaf"]
)
def test_refused(octets):
    with pytest.raises(Mm1Error):
        decode_push(octets)


def test_other_user_data_is_none():
    assert from_user_data(b"\x05\x00\x03\x01\x01\x01Hi") is None
    assert from_user_data(bytes.fromhex("0605040b8423f0") + b"\x01") is None
    assert from_user_data(b"") is None
