import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import encode_request, encode_status, parse
from opencpm.protocols.sip.response import encode_response
from opencpm.protocols.sip.transaction import AckMissing, Answer, Incoming, TransactionLayer

FLOW, OTHER = object(), object()


def request(method="MESSAGE", branch="z9hG4bK1", number=1, to_tag="", **changes):
    fields = [
        ("Via", f"SIP/2.0/UDP h;branch={branch}"),
        ("From", "<sip:a@x>;tag=f"),
        ("To", "<sip:b@x>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", changes.get("call_id", "c")),
        ("CSeq", f"{number} {method}"),
    ]
    return encode_request(method, "sip:b@x", fields)


def response(status, branch="z9hG4bK1", method="MESSAGE", to_tag="t"):
    fields = [
        ("Via", f"SIP/2.0/UDP us;branch={branch}"),
        ("From", "<sip:a@x>;tag=f"),
        ("To", f"<sip:b@x>;tag={to_tag}"),
        ("Call-ID", "c"),
        ("CSeq", f"1 {method}"),
    ]
    return parse(encode_status(status, "", fields))


class Layer(TransactionLayer):
    """With a clock that goes forward by hand."""

    now = 0.0

    def come(self, data, reliable=False):
        return self.receive(FLOW, reliable, parse(data), self.now)

    def reply(self, transaction, status, to_tag="t"):
        data = encode_response(transaction.request, status, to_tag=to_tag)
        self.respond(transaction, status, data, self.now)
        return data

    def go(self, until):
        """Events and what was sent, (time, octets), up to a time."""
        events, sent = [], []
        while (due := self.next_timeout()) is not None and due <= until:
            self.now = due
            events += self.poll(due)
            sent += [(round(due, 1), data) for _, data in self.take()]
        self.now = until
        return events, sent

    def sent(self):
        return [data for _, data in self.take()]


# server, not INVITE


def test_a_repeated_request_gets_the_same_answer_and_reaches_the_core_once():
    layer = Layer()
    event = layer.come(request())
    assert isinstance(event, Incoming)
    assert layer.come(request()) is None  # no answer yet: silence
    assert layer.sent() == []
    final = layer.reply(event.transaction, 202)
    assert layer.come(request()) is None
    assert layer.sent() == [final, final]


def test_the_answer_is_forgotten_after_timer_j_and_at_once_on_a_reliable_transport():
    layer = Layer()
    layer.reply(layer.come(request()).transaction, 202)
    layer.go(31.9)
    assert layer.come(request()) is None
    layer.go(32.1)
    assert isinstance(layer.come(request()), Incoming)
    assert len(layer) == 1
    reliable = Layer()
    reliable.reply(reliable.come(request(), reliable=True).transaction, 202)
    assert len(reliable) == 0


def test_only_the_first_final_answer_goes_out():
    layer = Layer()
    transaction = layer.come(request()).transaction
    first = layer.reply(transaction, 202)
    layer.respond(transaction, 500, b"late", 0.0)
    assert layer.sent() == [first]


def test_other_branch_method_or_sent_by_is_another_transaction():
    layer = Layer()
    layer.come(request())
    assert isinstance(layer.come(request(branch="z9hG4bK2")), Incoming)
    assert isinstance(layer.come(request("OPTIONS")), Incoming)
    assert isinstance(layer.come(request().replace(b"UDP h;", b"UDP other;")), Incoming)


def test_a_client_of_rfc_2543_is_matched_by_what_it_repeats():
    layer = Layer()
    assert isinstance(layer.come(request(branch="1")), Incoming)
    assert layer.come(request(branch="1")) is None
    assert isinstance(layer.come(request(branch="1", number=2)), Incoming)


def test_a_request_without_via_raises():
    with pytest.raises(SipError):
        Layer().come(b"MESSAGE sip:b@x SIP/2.0\r\nTo: x\r\n\r\n")


# server, INVITE


def test_a_refused_invite_repeats_its_answer_until_the_ack():
    layer = Layer()
    transaction = layer.come(request("INVITE")).transaction
    refusal = layer.reply(transaction, 486)
    layer.sent()
    _, sent = layer.go(4.0)
    assert [at for at, _ in sent] == pytest.approx([0.5, 1.5, 3.5], abs=0.2)
    assert {octets for _, octets in sent} == {refusal}
    assert layer.come(request("ACK", to_tag="t")) is None
    assert layer.go(60.0) == ([], [])
    assert len(layer) == 0


def test_an_accepted_invite_repeats_its_2xx_until_the_ack_of_another_branch():
    layer = Layer()
    transaction = layer.come(request("INVITE"), reliable=True).transaction
    ok = layer.reply(transaction, 200)
    layer.sent()
    _, sent = layer.go(1.6)
    assert [octets for _, octets in sent] == [ok, ok]
    event = layer.come(request("ACK", branch="z9hG4bKack", to_tag="t"), reliable=True)
    assert (event.transaction, event.request.method) == (transaction, "ACK")
    assert layer.go(100.0) == ([], [])
    assert len(layer) == 0


def test_a_missing_ack_is_told():
    layer = Layer()
    transaction = layer.come(request("INVITE")).transaction
    layer.reply(transaction, 200)
    events, sent = layer.go(40.0)
    assert events == [AckMissing(transaction)]
    assert len(sent) > 8


def test_a_repeated_invite_gets_the_provisional_answer_again():
    layer = Layer()
    transaction = layer.come(request("INVITE")).transaction
    ringing = layer.reply(transaction, 180)
    assert layer.come(request("INVITE")) is None
    assert layer.sent() == [ringing, ringing]


def test_cancel_finds_its_invite():
    layer = Layer()
    transaction = layer.come(request("INVITE")).transaction
    cancel = layer.come(request("CANCEL"))
    assert layer.invite_of(cancel.request) is transaction
    other = layer.come(request("CANCEL", branch="z9hG4bK9"))
    assert layer.invite_of(other.request) is None


def test_a_stray_ack_reaches_the_core_without_a_transaction():
    assert Layer().come(request("ACK", branch="z9hG4bK7", to_tag="t")).transaction is None


# client


def start(layer, method="MESSAGE", reliable=False, flow=FLOW):
    data = request(method)
    return layer.request(flow, reliable, method, "z9hG4bK1", data, "context", layer.now), data


def test_a_request_is_repeated_with_growing_gaps_then_given_up():
    layer = Layer()
    transaction, data = start(layer)
    assert layer.sent() == [data]
    events, sent = layer.go(60.0)
    assert [at for at, _ in sent] == pytest.approx([0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], abs=0.3)
    assert {octets for _, octets in sent} == {data}
    assert events == [Answer(transaction, None, False)]
    assert len(layer) == 0


def test_a_provisional_answer_slows_it_down_and_a_final_one_ends_it():
    layer = Layer()
    transaction, _ = start(layer)
    assert layer.receive(FLOW, False, response(100), 0.1).response.status == 100
    layer.take()
    _, sent = layer.go(5.0)
    assert [at for at, _ in sent] == pytest.approx([0.5, 4.5], abs=0.2)
    event = layer.receive(FLOW, False, response(202), 5.0)
    assert (event.transaction, event.response.status) == (transaction, 202)
    assert layer.receive(FLOW, False, response(202), 5.1) is None
    assert layer.go(60.0) == ([], [])


def test_over_a_reliable_transport_nothing_is_repeated():
    layer = Layer()
    transaction, data = start(layer, reliable=True)
    assert layer.sent() == [data]
    events, sent = layer.go(40.0)
    assert (events, sent) == ([Answer(transaction, None, False)], [])


def test_a_broken_flow_fails_what_is_under_way_on_it():
    layer = Layer()
    mine, _ = start(layer)
    assert layer.flow_failed(OTHER) == []
    assert layer.flow_failed(FLOW) == [Answer(mine, None, True)]
    assert layer.go(60.0)[0] == []


def test_answers_to_nothing_of_ours_are_dropped():
    layer = Layer()
    start(layer)
    assert layer.receive(FLOW, False, response(200, branch="z9hG4bKother"), 0) is None
    assert layer.receive(FLOW, False, response(200, method="OPTIONS"), 0) is None


def test_nobody_answers_for_another_connection():
    layer = Layer()
    transaction, _ = start(layer, reliable=True)
    assert layer.receive(OTHER, True, response(200), 0) is None
    assert layer.receive(FLOW, True, response(200), 0).transaction is transaction


def test_a_refused_invite_is_acknowledged_here_also_when_the_refusal_repeats():
    layer = Layer()
    transaction, _ = start(layer, "INVITE")
    layer.sent()
    refusal = response(486, method="INVITE", to_tag="far")
    assert layer.receive(FLOW, False, refusal, 0.1) == Answer(transaction, refusal)
    assert layer.receive(FLOW, False, refusal, 0.6) is None
    acks = layer.sent()
    assert len(acks) == 2
    assert acks[0] == acks[1]
    ack = parse(acks[0])
    assert (ack.method, ack.get("cseq"), ack.get("to")) == ("ACK", "1 ACK", "<sip:b@x>;tag=far")
    assert ack.get("via") == "SIP/2.0/UDP h;branch=z9hG4bK1"
    layer.go(40.0)
    assert len(layer) == 0


def test_each_2xx_to_an_invite_reaches_the_core_which_acknowledges_it():
    layer = Layer()
    start(layer, "INVITE")
    layer.sent()
    assert layer.receive(FLOW, False, response(200, method="INVITE", to_tag="one"), 1).response
    assert layer.receive(FLOW, False, response(200, method="INVITE", to_tag="one"), 2).response
    assert layer.receive(FLOW, False, response(200, method="INVITE", to_tag="two"), 3).response
    assert layer.receive(FLOW, False, response(486, method="INVITE"), 4) is None
    assert layer.sent() == []
    layer.now = 4
    assert layer.go(60.0)[0] == []
    assert len(layer) == 0


def test_an_invite_that_rings_is_not_given_up():
    layer = Layer()
    start(layer, "INVITE")
    layer.receive(FLOW, False, response(180, method="INVITE"), 0.1)
    events, sent = layer.go(300.0)
    assert events == []
    assert len(sent) <= 1  # the first one
    assert layer.receive(FLOW, False, response(200, method="INVITE"), 301.0).response.status == 200


def test_too_many_transactions_say_so():
    layer = Layer(max_server=1)
    assert not layer.full
    layer.come(request())
    assert layer.full
