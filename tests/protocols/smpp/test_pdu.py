import pytest

from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.command import RESPONSE, Command, name_of
from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.pdu import Pdu

from . import vectors


@pytest.mark.parametrize("name", vectors.ALL)
def test_worked_pdus_there_and_back(name):
    octets = vectors.ALL[name]
    assert pdu.encode(pdu.decode(octets)) == octets


@pytest.mark.parametrize("name", vectors.NAMES)
def test_recorded_pdus_there_and_back(name):
    lines = vectors.transcript(name)
    assert lines
    for line in lines:
        if line.pdu[4:8].hex() == "00007777":
            continue
        decoded = pdu.decode(line.pdu)
        assert pdu.encode(decoded._replace(body=dict(decoded.body))) == line.pdu


def test_bind_fields():
    decoded = pdu.decode(vectors.ALL["BIND"])
    assert name_of(decoded.command) == "bind_transceiver"
    assert decoded.body["system_id"] == "cpm"
    assert decoded.body["password"] == "secret"
    assert decoded.body["interface_version"] == 0x34


EXAMPLES = [
    Pdu(Command.QUERY_SM, 0, 1, {"message_id": "1A", "source_addr": "44770"}),
    Pdu(
        RESPONSE | Command.QUERY_SM,
        0,
        1,
        {"message_id": "1A", "final_date": "", "message_state": 2, "error_code": 0},
    ),
    Pdu(Command.CANCEL_SM, 0, 2, {"message_id": "1A", "destination_addr": "44770"}),
    Pdu(Command.REPLACE_SM, 0, 3, {"message_id": "1A", "short_message": b"new"}),
    Pdu(Command.OUTBIND, 0, 4, {"system_id": "smsc", "password": "x"}),
    Pdu(Command.ALERT_NOTIFICATION, 0, 5, {"source_addr": "44770", "esme_addr": "1"}, ((0x0422, b"\0"),)),
    Pdu(Command.DATA_SM, 0, 6, {"source_addr": "1", "destination_addr": "2", "esm_class": 4}, ((0x0424, b"x"),)),
    Pdu(
        Command.SUBMIT_MULTI,
        0,
        7,
        {"dest_addresses": ((1, 1, "44770"), (0, 0, "list:all")), "short_message": b"hi"},
    ),
    Pdu(RESPONSE | Command.SUBMIT_MULTI, 0, 7, {"message_id": "1", "unsuccess_smes": ((1, 1, "44770", 11),)}),
    Pdu(RESPONSE | Command.CANCEL_SM, 0, 8, {}),
    Pdu(Command.BROADCAST_SM, 0, 9, {"source_addr": "1", "data_coding": 8}, ((0x0606, b"\0area"), (0x0604, b"\0\1"))),
    Pdu(RESPONSE | Command.BROADCAST_SM, 0, 9, {"message_id": "1"}),
    Pdu(Command.QUERY_BROADCAST_SM, 0, 10, {"message_id": "1", "source_addr": "1"}),
    Pdu(RESPONSE | Command.QUERY_BROADCAST_SM, 0, 10, {"message_id": "1"}, ((0x0427, b"\2"),)),
    Pdu(Command.CANCEL_BROADCAST_SM, 0, 11, {"service_type": "CBS", "message_id": "1"}),
    Pdu(RESPONSE | Command.CANCEL_BROADCAST_SM, 0, 11, {}),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: name_of(e.command))
def test_every_other_pdu_keeps_its_fields(example):
    decoded = pdu.decode(pdu.encode(example))
    assert {name: decoded.body[name] for name in example.body} == example.body
    assert (decoded.command, decoded.sequence, decoded.tlvs) == (
        example.command,
        example.sequence,
        example.tlvs,
    )


@pytest.mark.parametrize("size", range(16, 0x40))
def test_a_pdu_cut_short_is_refused(size):
    with pytest.raises(SmppError):
        pdu.decode(vectors.ALL["SUBMIT"][:size])


def test_an_error_response_may_lack_its_body():
    assert pdu.decode(vectors.ALL["THROTTLED"]).status == 0x58
    assert pdu.decode(bytes.fromhex("0000001180000004000000140000000300")).body == {}


@pytest.mark.parametrize("body", [{"system_id": "x" * 16}, {"system_id": "a\0b"}, {"addr_ton": 300}])
def test_a_value_that_does_not_fit(body):
    with pytest.raises(SmppError):
        pdu.encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1, body))


def test_an_unknown_command():
    with pytest.raises(SmppError) as caught:
        pdu.decode(bytes.fromhex("00000010000077770000000000000009"))
    assert (caught.value.status, caught.value.sequence) == (3, 9)
