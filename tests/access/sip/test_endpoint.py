"""The user agent core with flows that are lists: no sockets."""

import asyncio
import gc
import itertools
import weakref

import pytest

from opencpm.access.sip.endpoint import Endpoint
from opencpm.protocols.sip.dialog import uac_dialog, uas_dialog
from opencpm.protocols.sip.message import encode_request, parse
from opencpm.protocols.sip.response import encode_response
from opencpm.transport.flow import Flow


class Wire:
    """A flow whose octets are kept."""

    def __init__(self, kind="TCP", key="k"):
        self.sent = []
        self.flow = Flow(key, kind, ("192.0.2.1", 5070), ("192.0.2.10", 5060), self.sent.append)

    async def out(self):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        messages = [parse(data) for data in self.sent]
        self.sent.clear()
        return messages


@pytest.fixture
async def endpoint():
    numbers = itertools.count(1)
    made = Endpoint(via_host="sip.cpm.test", new_token=lambda: f"t{next(numbers)}")
    yield made
    made.close()


def request(method, branch="b1", to_tag="", number=1, uri="sip:bob@cpm.test", **changes):
    fields = [
        ("Via", f"SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK{branch}"),
        ("Max-Forwards", changes.get("hops", "70")),
        ("From", "<sip:alice@cpm.test>;tag=a"),
        ("To", "<sip:bob@cpm.test>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", "c"),
        ("CSeq", f"{number} {changes.get('cseq', method)}"),
        ("Contact", "<sip:alice@192.0.2.1:5070;transport=tcp>"),
    ]
    return encode_request(method, uri, fields)


class User:
    def __init__(self, endpoint):
        self.endpoint, self.requests, self.acks, self.missing = endpoint, [], [], 0

    def requested(self, request):
        self.requests.append(request)
        self.endpoint.answer(request, 200)

    def acknowledged(self, ack):
        self.acks.append(ack)

    def ack_missing(self):
        self.missing += 1


async def test_a_batch_reaches_each_handler_in_runs_that_keep_the_order(endpoint):
    wire, runs = Wire(), []
    endpoint.on("MESSAGE", lambda requests: runs.append([r.message.get("call-id") for r in requests]))
    endpoint.on("REGISTER", lambda requests: runs.append("R"))
    one, two = request("MESSAGE", "1"), request("MESSAGE", "2")
    endpoint.received([(wire.flow, one), (wire.flow, two), (wire.flow, request("REGISTER", "3")),
                       (wire.flow, request("MESSAGE", "4"))])  # fmt: skip
    assert runs == [["c", "c"], "R", ["c"]]


async def test_a_fault_in_a_handler_is_a_500_and_stops_nobody(endpoint):
    wire = Wire()

    def fail(requests):
        raise RuntimeError("boom")

    endpoint.on("MESSAGE", fail)
    endpoint.received([(wire.flow, request("MESSAGE"))])
    assert [m.status for m in await wire.out()] == [500]


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (b"garbage", []),
        (request("MESSAGE", hops="0"), [483]),
        (request("MESSAGE", cseq="INVITE"), [400]),
        (request("MESSAGE", uri="http://x"), [416]),
        (request("MESSAGE", to_tag="unknown"), [481]),
        (request("BYE", to_tag="unknown"), [481]),
        (request("ACK", to_tag="unknown"), []),
        (request("CANCEL"), [481]),
        (request("REFER"), [405]),
        (request("MESSAGE").replace(b"Via", b"Wia"), []),
        (b"SIP/2.0 200 OK\r\n\r\n", []),
    ],
)
async def test_what_needs_no_handler(endpoint, data, statuses):
    wire = Wire()
    endpoint.on("MESSAGE", lambda requests: None)
    endpoint.received([(wire.flow, data)])
    assert [m.status for m in await wire.out()] == statuses


async def test_an_invite_its_ack_and_requests_in_the_dialog(endpoint):
    wire, user, invites = Wire(), User(endpoint), []
    endpoint.on("INVITE", invites.extend)
    endpoint.received([(wire.flow, request("INVITE"))])
    invite = invites[0]
    endpoint.answer(invite, 180)
    dialog = uas_dialog(invite.message, invite.to_tag)
    endpoint.adopt(dialog, user, wire.flow)
    endpoint.answer(invite, 200, fields=[("Contact", endpoint.contact(wire.flow))])
    assert [m.status for m in await wire.out()] == [180, 200]
    endpoint.received([(wire.flow, request("ACK", "ack", invite.to_tag, cseq="ACK"))])
    endpoint.received([(wire.flow, request("BYE", "bye", invite.to_tag, 2))])
    assert len(user.acks) == 1
    assert [r.method for r in user.requests] == ["BYE"]
    assert [m.status for m in await wire.out()] == [200]
    endpoint.received([(wire.flow, request("BYE", "old", invite.to_tag, 2))])
    assert [m.status for m in await wire.out()] == [500]
    endpoint.release(dialog)
    endpoint.received([(wire.flow, request("BYE", "late", invite.to_tag, 3))])
    assert [m.status for m in await wire.out()] == [481]


async def test_a_cancel_reaches_the_invite(endpoint):
    wire, invites, cancelled = Wire(), [], []
    endpoint.on("INVITE", invites.extend)
    endpoint.received([(wire.flow, request("INVITE"))])
    invites[0].on_cancel = lambda: (cancelled.append(1), endpoint.answer(invites[0], 487))
    endpoint.received([(wire.flow, request("CANCEL", cseq="CANCEL"))])
    assert cancelled == [1]
    answers = await wire.out()
    assert [(m.status, m.get("cseq")) for m in answers] == [(200, "1 CANCEL"), (487, "1 INVITE")]


async def test_our_invite_is_acknowledged_and_used(endpoint):
    wire, user, answers = Wire(), User(endpoint), []
    fields = [("From", "<sip:s@x>;tag=us"), ("To", "<sip:b@x>"), ("Call-ID", "ours"), ("CSeq", "1 INVITE")]
    sent = endpoint.send(wire.flow, "INVITE", "sip:b@h", fields, b"", lambda r, failed: answers.append(r))
    (invite,) = await wire.out()
    assert invite.get("via").startswith("SIP/2.0/TCP sip.cpm.test:5060;branch=z9hG4bK")
    endpoint.received([(wire.flow, encode_response(invite, 180, to_tag="far"))])
    ok = encode_response(invite, 200, to_tag="far", fields=[("Contact", "<sip:b@device>")])
    endpoint.received([(wire.flow, ok)])
    assert [a.status for a in answers] == [180, 200]
    dialog = uac_dialog(sent.message, answers[-1])
    endpoint.adopt(dialog, user, wire.flow)
    endpoint.acknowledge(dialog, 1)
    endpoint.send_in(dialog, "BYE")
    ack, bye = await wire.out()
    assert (ack.method, ack.uri, ack.get("cseq")) == ("ACK", "sip:b@device", "1 ACK")
    assert (bye.method, bye.get("cseq"), bye.get("to")) == ("BYE", "2 BYE", "<sip:b@x>;tag=far")


async def test_our_invite_can_be_cancelled(endpoint):
    wire = Wire()
    fields = [("From", "<sip:s@x>;tag=us"), ("To", "<sip:b@x>"), ("Call-ID", "ours"), ("CSeq", "1 INVITE")]
    sent = endpoint.send(wire.flow, "INVITE", "sip:b@h", fields)
    (invite,) = await wire.out()
    endpoint.cancel(sent)
    (cancel,) = await wire.out()
    assert (cancel.method, cancel.get("cseq")) == ("CANCEL", "1 CANCEL")
    assert cancel.get("via") == invite.get("via")


async def test_requests_on_a_flow_that_breaks_or_is_closed_fail(endpoint):
    wire, answers = Wire(), []
    fields = [("From", "<sip:s@x>;tag=us"), ("To", "<sip:b@x>"), ("Call-ID", "ours"), ("CSeq", "1 MESSAGE")]
    endpoint.send(wire.flow, "MESSAGE", "sip:b@h", fields, b"", lambda *answer: answers.append(answer))
    endpoint.lost(wire.flow)
    assert answers == [(None, True)]
    wire.flow.open = False
    endpoint.send(wire.flow, "MESSAGE", "sip:b@h", fields, b"", lambda *answer: answers.append(answer))
    await asyncio.sleep(0)
    assert answers == [(None, True)] * 2


async def test_what_was_answered_leaves_no_cycle_for_the_collector(endpoint):
    wire = Wire("UDP")

    class Message:
        """Stands for what an answer's handler holds."""

    held = Message()
    watch = weakref.ref(held)
    gc.disable()
    try:
        fields = [("From", "<sip:a@h>;tag=1"), ("To", "<sip:b@h>"), ("Call-ID", "x"), ("CSeq", "1 MESSAGE")]
        endpoint.send(wire.flow, "MESSAGE", "sip:b@h", fields, b"", lambda *answer, held=held: None)
        del held
        (sent,) = await wire.out()
        assert watch() is not None
        endpoint.received([(wire.flow, encode_response(sent, 200, to_tag="d"))])
        assert watch() is None
    finally:
        gc.enable()


async def test_a_dialog_whose_flow_has_gone_looks_for_another(endpoint):
    old, new = Wire(), Wire(key="n")
    dialog = uas_dialog(parse(request("INVITE")), "us")
    endpoint.adopt(dialog, User(endpoint), old.flow)
    old.flow.open = False
    endpoint.find_flow = lambda uri: new.flow if uri == "sip:alice@192.0.2.1:5070;transport=tcp" else None
    endpoint.send_in(dialog, "BYE")
    assert [m.method for m in await new.out()] == ["BYE"]


async def test_an_overloaded_endpoint_says_when_to_come_back():
    endpoint = Endpoint(via_host="h", new_token=lambda: "t", max_transactions=1)
    endpoint.on("MESSAGE", lambda requests: None)
    wire = Wire("UDP")
    endpoint.received([(wire.flow, request("MESSAGE", "1")), (wire.flow, request("MESSAGE", "2"))])
    answers = await wire.out()
    assert [(a.status, a.get("retry-after")) for a in answers] == [(503, "5")]
    endpoint.close()
