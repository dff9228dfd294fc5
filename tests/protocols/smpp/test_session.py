"""Two ends joined in memory, and recorded SMSCs replayed against ours."""

import pytest

from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.binding import Bind, Timers
from opencpm.protocols.smpp.command import RESPONSE, Command, name_of
from opencpm.protocols.smpp.events import (
    Answered,
    Asked,
    BindAsked,
    BindRefused,
    Bound,
    Closed,
    Received,
    Told,
    Unanswered,
)
from opencpm.protocols.smpp.session import Session, SessionError
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.states import SessionState

from . import vectors

SM = ShortMessage("447700900111", "447700900123", b"Hello")
BIND = Bind(system_id="cpm", password="secret")


def pair(**esme):
    return Session(0.0, bind=BIND, **esme), Session(0.0)


def carry(source, target, now=0.0):
    return target.receive(source.take(), now)


def bound_pair(**esme):
    esme, smsc = pair(**esme)
    (asked,) = carry(esme, smsc)
    smsc.accept(asked, "smsc")
    assert carry(smsc, esme) == [Bound(SessionState.BOUND_TRX, "smsc", 0x34)]
    return esme, smsc


def sent(session):
    """The names and status of what a session sends."""
    data, found = session.take(), []
    while data:
        size = int.from_bytes(data[:4], "big")
        decoded = pdu.decode(data[:size])
        found.append((name_of(decoded.command), decoded.status, decoded.sequence))
        data = data[size:]
    return found


def header(command, status=0, sequence=1):
    return b"".join(value.to_bytes(4, "big") for value in (16, command, status, sequence))


def test_bind_submit_respond():
    esme, smsc = pair()
    (asked,) = carry(esme, smsc)
    assert asked == BindAsked(1, Command.BIND_TRANSCEIVER, "cpm", "secret", "", 0x34, "")
    smsc.accept(asked, "smsc")
    carry(smsc, esme)
    esme.submit(SM, "first", 0.0)
    esme.submit(SM, "second", 0.0)
    assert esme.room == 8
    first, second = carry(esme, smsc)
    assert first == Received(Command.SUBMIT_SM, 2, SM)
    smsc.respond(second, 0, "2B")
    smsc.respond(first, 0x58)
    assert carry(smsc, esme) == [Answered("second", 0, "2B"), Answered("first", 0x58, "")]
    assert esme.unanswered == 0


def test_deliver_the_other_way():
    esme, smsc = bound_pair()
    smsc.submit(SM, "mo", 0.0, Command.DELIVER_SM)
    (received,) = carry(smsc, esme)
    assert received == Received(Command.DELIVER_SM, 1, SM)
    esme.respond(received)
    assert carry(esme, smsc) == [Answered("mo", 0, "")]


def test_a_refused_bind_closes():
    esme, smsc = pair()
    (asked,) = carry(esme, smsc)
    smsc.refuse(asked, 0x0E)
    assert carry(smsc, esme) == [BindRefused(0x0E), Closed("the bind was refused")]
    assert esme.closing()
    assert smsc.closing()


def test_no_bind_in_time():
    esme, smsc = pair()
    assert esme.next_timeout() == smsc.next_timeout() == 10.0
    assert smsc.poll(9.9) == []
    assert smsc.poll(10.0) == [Closed("no bind in time")]


def test_requests_in_the_wrong_state_get_their_own_response():
    esme, smsc = pair()
    assert smsc.receive(vectors.ALL["SUBMIT"], 0.0) == []
    assert sent(smsc) == [("submit_sm_resp", 4, 2)]
    esme.take()
    esme.receive(vectors.ALL["RECEIPT"], 0.0)
    assert sent(esme) == [("deliver_sm_resp", 4, 1)]
    with pytest.raises(SessionError):
        esme.submit(SM, None, 0.0)


def test_wrong_direction_and_second_bind():
    esme, smsc = bound_pair()
    esme.receive(vectors.ALL["SUBMIT"], 0.0)
    assert sent(esme) == [("submit_sm_resp", 4, 2)]
    smsc.receive(vectors.ALL["BIND"], 0.0)
    assert sent(smsc) == [("bind_transceiver_resp", 5, 1)]
    with pytest.raises(SessionError):
        smsc.submit(SM, None, 0.0)


def test_a_receiver_may_not_submit():
    smsc = Session(0.0)
    smsc.receive(pdu.encode(pdu.decode(vectors.ALL["BIND"])._replace(command=Command.BIND_RECEIVER)), 0.0)
    smsc.accept(BindAsked(1, Command.BIND_RECEIVER, "cpm", "", "", 0x34, ""), "smsc")
    smsc.take()
    smsc.receive(vectors.ALL["SUBMIT"], 0.0)
    assert sent(smsc) == [("submit_sm_resp", 4, 2)]


def test_an_old_peer_is_sent_no_parameters():
    smsc = Session(0.0)
    smsc.accept(BindAsked(1, Command.BIND_TRANSCEIVER, "old", "", "", 0x33, ""), "smsc")
    assert pdu.decode(smsc.take()).tlvs == ()


def test_enquire_link_before_the_bind_and_while_the_window_is_full():
    smsc = Session(0.0)
    smsc.receive(vectors.ALL["ENQUIRE"], 0.0)
    assert smsc.take() == vectors.ALL["ENQUIRE_RESP"]
    esme, _ = bound_pair(window=1)
    esme.submit(SM, 1, 0.0)
    assert esme.room == 0
    esme.take()
    esme.receive(vectors.ALL["ENQUIRE"], 0.0)
    assert esme.take() == vectors.ALL["ENQUIRE_RESP"]


def test_unknown_commands_get_a_generic_nack_and_the_session_lives():
    esme, _ = bound_pair()
    esme.receive(header(0x7777, sequence=7) + header(0x10001, sequence=8), 0.0)
    assert sent(esme) == [("generic_nack", 3, 7), ("generic_nack", 3, 8)]
    assert esme.bound


@pytest.mark.parametrize("command", [0x80007777, 0x80000000, 0x80000004, 0x80000015])
def test_responses_to_nothing_are_counted_and_never_answered(command):
    esme, _ = bound_pair()
    assert esme.receive(header(command, 3, 99), 0.0) == []
    assert esme.take() == b""
    assert esme.stray_responses == 1


def test_generic_nack_is_the_answer_to_our_request():
    esme, _ = bound_pair()
    sequence = esme.submit(SM, "x", 0.0)
    assert esme.receive(header(0x80000000, 3, sequence), 0.0) == [Answered("x", 3, "")]


def test_a_malformed_body_gets_an_error_and_the_session_lives():
    esme, smsc = bound_pair()
    broken = vectors.ALL["SUBMIT"][:40]
    smsc.receive(len(broken).to_bytes(4, "big") + broken[4:] + vectors.ALL["SUBMIT"], 0.0)
    assert sent(smsc) == [("submit_sm_resp", 2, 2)]
    assert smsc.bound
    assert esme.bound


def test_an_impossible_length_ends_the_session_with_a_nack():
    esme, _ = bound_pair()
    esme.submit(SM, "x", 0.0)
    esme.take()
    events = esme.receive(vectors.ALL["RECEIPT"] + bytes.fromhex("00000008000000040000000000000005"), 0.0)
    assert [type(event) for event in events] == [Received, Unanswered, Closed]
    assert sent(esme) == [("generic_nack", 2, 5)]
    assert esme.closing()


def test_no_response_in_time():
    esme, _ = bound_pair(timers=Timers(enquire_link=0))
    esme.submit(SM, "x", 5.0)
    esme.submit(SM, "y", 6.0)
    assert esme.next_timeout() == 35.0
    esme.receive(header(Command.ENQUIRE_LINK), 7.0)  # a sign of life
    assert esme.poll(35.0) == [Unanswered("x")]
    assert esme.next_timeout() == 36.0
    esme.take()
    esme.receive(header(RESPONSE | Command.SUBMIT_SM, sequence=2), 35.5)  # too late
    assert esme.stray_responses == 1


def test_two_enquiries_without_an_answer():
    esme, _ = bound_pair()
    assert esme.next_timeout() == 30.0
    esme.poll(30.0)
    assert sent(esme) == [("enquire_link", 0, 2)]
    assert esme.next_timeout() == 40.0
    esme.poll(40.0)
    assert sent(esme) == [("enquire_link", 0, 3)]
    assert esme.poll(50.0) == [Closed("two enquire_link without an answer")]


def test_any_pdu_is_a_sign_of_life():
    esme, smsc = bound_pair()
    esme.poll(30.0)
    esme.take()
    esme.receive(vectors.ALL["ENQUIRE"], 39.0)
    assert esme.next_timeout() == 69.0
    carry(smsc, esme, 39.0)


def test_unbind_waits_for_responses():
    esme, smsc = bound_pair()
    esme.submit(SM, "x", 0.0)
    esme.unbind(1.0)
    with pytest.raises(SessionError):
        esme.submit(SM, "y", 1.0)
    (received,) = carry(esme, smsc)
    smsc.respond(received, 0, "1")
    assert carry(smsc, esme, 2.0) == [Answered("x", 0, "1")]
    assert carry(esme, smsc, 2.0) == [Closed("the peer unbound")]
    assert carry(smsc, esme, 2.0) == [Closed("unbound")]


def test_unbind_without_an_answer():
    esme, _ = bound_pair()
    esme.unbind(1.0)
    assert sent(esme) == [("unbind", 0, 2)]
    assert esme.poll(31.0) == [Closed("no answer to unbind")]


def test_unbind_waits_until_the_peer_is_answered():
    esme, smsc = bound_pair()
    smsc.submit(SM, "mo", 0.0, Command.DELIVER_SM)
    (received,) = carry(smsc, esme)
    esme.unbind(0.0)
    smsc.submit(SM, "mo 2", 0.0, Command.DELIVER_SM)
    (second,) = carry(smsc, esme)
    assert esme.take() == b""
    esme.respond(received)
    esme.respond(second)
    assert carry(esme, smsc) == [Answered("mo", 0, ""), Answered("mo 2", 0, ""), Closed("the peer unbound")]


def test_unbind_does_not_wait_for_ever():
    esme, _ = bound_pair(timers=Timers(enquire_link=0))
    esme.receive(vectors.ALL["RECEIPT"], 0.0)
    esme.unbind(1.0)
    assert esme.take() == b""
    esme.poll(31.0)
    assert sent(esme) == [("unbind", 0, 2)]
    assert esme.poll(61.0) == [Closed("no answer to unbind")]


def test_inactivity_unbinds():
    esme, _ = bound_pair(timers=Timers(enquire_link=0, inactivity=60))
    assert esme.next_timeout() == 60.0
    esme.poll(60.0)
    assert sent(esme) == [("unbind", 0, 2)]


def test_a_lost_connection_leaves_requests_unanswered():
    esme, _ = bound_pair()
    esme.submit(SM, "x", 0.0)
    assert esme.lost() == [Unanswered("x")]
    assert esme.lost() == []


def test_sequence_numbers_wrap():
    esme, _ = bound_pair(first_sequence=0x7FFFFFFE)
    assert [esme.submit(SM, None, 0.0) for _ in range(2)] == [0x7FFFFFFF, 1]


def test_other_requests():
    esme, smsc = bound_pair()
    esme.request(Command.QUERY_SM, {"message_id": "1A"}, "q", 0.0)
    (asked,) = carry(esme, smsc)
    assert isinstance(asked, Asked)
    smsc.answer(asked.pdu, status=0x67)
    assert carry(smsc, esme) == [Answered("q", 0x67, "")]
    smsc.request(Command.ALERT_NOTIFICATION, {"source_addr": "1"}, None, 0.0)
    (told,) = carry(smsc, esme)
    assert isinstance(told, Told)
    assert smsc.unanswered == 0


def test_data_sm_brings_a_short_message():
    esme, smsc = bound_pair()
    body = {"source_addr": "1", "destination_addr": "2", "esm_class": 4, "data_coding": 8}
    smsc.receive(pdu.encode(pdu.Pdu(Command.DATA_SM, 0, 9, body, ((0x0424, b"x"),))), 0.0)
    smsc.take()
    octets = pdu.encode(pdu.Pdu(Command.DATA_SM, 0, 9, body, ((0x0424, b"x"),)))
    (received,) = esme.receive(octets, 0.0)
    assert (received.message.content, received.message.is_receipt) == (b"x", True)
    esme.respond(received)
    assert sent(esme) == [("data_sm_resp", 0, 9)]


def test_outbind_then_bind():
    smsc = Session(0.0)
    smsc.request(Command.OUTBIND, {"system_id": "smsc"}, None, 0.0)
    esme = Session(0.0, bind=BIND)
    (told,) = carry(smsc, esme)
    assert told.pdu.body["system_id"] == "smsc"
    assert isinstance(carry(esme, smsc)[0], BindAsked)


@pytest.mark.parametrize("name", ["node-session", "receipt-decimal-vs-hex", "throttling", "kannel-session"])
def test_recorded_smscs(name):
    """Our ESME takes the place of the recorded one: sequence numbers are set to the recorded ones."""
    lines = vectors.transcript(name)
    first = int.from_bytes(lines[0].pdu[12:16], "big")
    esme = Session(0.0, bind=BIND, first_sequence=first, window=1000, timers=Timers(enquire_link=0))
    esme.take()
    answered, received = [], []
    for line in lines[1:]:
        command = int.from_bytes(line.pdu[4:8], "big")
        if line.side == "C" and command == Command.SUBMIT_SM:
            esme._sequence = int.from_bytes(line.pdu[12:16], "big")
            esme.submit(SM, esme._sequence, 0.0)
        if line.side == "S" and command in (RESPONSE | Command.SUBMIT_SM, Command.DELIVER_SM, 0x80000009):
            for event in esme.receive(line.pdu, 0.0):
                (answered if isinstance(event, Answered) else received).append(event)
    submits = sum(line.side == "C" and line.pdu[4:8].hex() == "00000004" for line in lines)
    delivers = sum(line.side == "S" and line.pdu[4:8].hex() == "00000005" for line in lines)
    assert len(answered) == submits > 0
    assert sum(isinstance(event, Received) for event in received) == delivers > 0
    assert esme.unanswered == esme.stray_responses == 0


def test_a_recorded_refusal():
    (bind, response) = vectors.transcript("node-bindfail")
    assert name_of(int.from_bytes(bind.pdu[4:8], "big")) == "bind_transmitter"
    esme = Session(0.0, bind=BIND)
    assert esme.receive(response.pdu, 0.0)[0] == BindRefused(0x0D)


def bound_as(version):
    esme, smsc = Session(0.0, bind=Bind(system_id="cpm", password="secret", version=version)), Session(0.0)
    (asked,) = carry(esme, smsc)
    smsc.accept(asked, "smsc", version)
    carry(smsc, esme)
    return esme, smsc


def test_a_broadcast_of_a_peer_of_5_0_is_asked_and_answered():
    esme, smsc = bound_as(0x50)
    esme.request(Command.BROADCAST_SM, {"source_addr": "1"}, "mine", 0.0)
    (asked,) = carry(esme, smsc)
    assert isinstance(asked, Asked)
    smsc.answer(asked.pdu, status=0x10D)
    assert carry(smsc, esme) == [Answered("mine", 0x10D, "")]


@pytest.mark.parametrize("version", [0x33, 0x34])
def test_to_an_older_peer_a_broadcast_is_an_unknown_command(version):
    esme, smsc = bound_as(version)
    esme.request(Command.BROADCAST_SM, {"source_addr": "1"}, "mine", 0.0)
    assert carry(esme, smsc) == []
    nack = pdu.decode(smsc.take())
    assert (name_of(nack.command), nack.status) == ("generic_nack", 0x03)


def test_who_binds_may_get_a_window_and_timers_of_their_own():
    esme, smsc = pair()
    (asked,) = carry(esme, smsc)
    smsc.accept(asked, "smsc", window=3, timers=Timers(enquire_link=5.0, inactivity=50.0))
    assert smsc.room == 3
    assert smsc.next_timeout() == 5.0


def test_a_half_open_link_is_found_by_traffic():
    esme, _ = bound_pair(timers=Timers(enquire_link=300.0, enquire_response=10.0, response=60.0))
    esme.submit(SM, "x", 1.0)
    esme.take()
    for at in (11.0, 21.0):
        assert esme.poll(at) == []
        assert sent(esme)[0][0] == "enquire_link"
    assert esme.poll(31.0) == [Unanswered("x"), Closed("two enquire_link without an answer")]


def test_a_half_open_link_without_enquiries():
    esme, _ = bound_pair(timers=Timers(enquire_link=0.0, response=5.0))
    esme.submit(SM, "x", 1.0)
    esme.submit(SM, "y", 2.0)
    assert [type(event) for event in esme.poll(6.0)] == [Unanswered, Unanswered, Closed]


def test_a_lost_response_alone_does_not_close_the_link():
    esme, smsc = bound_pair(timers=Timers(enquire_link=0.0, response=5.0))
    esme.submit(SM, "lost", 1.0)
    esme.submit(SM, "y", 2.0)
    _, second = carry(esme, smsc, 2.0)
    smsc.respond(second, 0, "2")
    assert carry(smsc, esme, 2.5) == [Answered("y", 0, "2")]
    assert esme.poll(6.0) == [Unanswered("lost")]
    assert esme.bound


@pytest.mark.parametrize("body", [b"1A\0", b"\0", b""])
def test_parameters_of_a_response_are_kept(body):
    esme, _ = bound_pair()
    status = 0 if body == b"1A\0" else 0x58
    sequence = esme.submit(SM, "x", 0.0)
    tail = bytes.fromhex("0428000163 1400000201FF".replace(" ", ""))
    frame = header(RESPONSE | Command.SUBMIT_SM, status, sequence)[4:] + body + tail
    (answered,) = esme.receive((len(frame) + 4).to_bytes(4, "big") + frame, 0.0)
    assert answered == Answered("x", status, "1A" if status == 0 else "", ((0x428, b"\x63"), (0x1400, b"\x01\xff")))


def test_broken_parameters_of_a_response_are_left_out():
    esme, _ = bound_pair()
    sequence = esme.submit(SM, "x", 0.0)
    frame = header(RESPONSE | Command.SUBMIT_SM, 0, sequence)[4:] + b"1A\0" + bytes.fromhex("0428FF")
    assert esme.receive((len(frame) + 4).to_bytes(4, "big") + frame, 0.0) == [Answered("x", 0, "1A")]
