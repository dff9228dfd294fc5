"""Whatever an SMSC delivers, each request is answered exactly once and nothing is raised."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.numbering import NumberPlan
from opencpm.interworking.sms.inbound import Inbound
from opencpm.interworking.sms.settings import read
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Received
from opencpm.protocols.smpp.message_id import ReceiptIds
from opencpm.protocols.smpp.short_message import ShortMessage
from tests.interworking.sms.support import Clock, Inbox, context

number = st.sampled_from(["447700900123", "12025550100", "60606", "INFO", ""]) | st.text(max_size=20)
content = st.binary(max_size=60) | st.builds(
    lambda reference, total, place, rest: bytes((5, 0, 3, reference, total, place)) + rest,
    st.integers(0, 1),
    st.integers(0, 3),
    st.integers(0, 4),
    st.binary(max_size=4),
)
tlv = st.tuples(st.sampled_from([0x001E, 0x0424, 0x0427, 0x020C, 0x020E, 0x020F, 0x020B]), st.binary(max_size=4))
messages = st.builds(
    lambda source, destination, octets, ton, esm, coding, tlvs, pid: ShortMessage(
        source, destination, octets, ton, esm_class=esm, data_coding=coding, tlvs=tuple(tlvs), protocol_id=pid
    ),
    number,
    number,
    content,
    st.integers(0, 6),
    st.sampled_from([0, 4, 0x40, 0x44, 0x20]),
    st.sampled_from([0, 1, 3, 4, 8, 0xF5]),
    st.lists(tlv, max_size=3),
    st.sampled_from([0, 0, 0x40]),
)


class Lane:
    account = "cpm"
    settings = read({"type": "sms"}).links[0]
    ids = ReceiptIds()

    def __init__(self):
        self.answers = Counter()

    def responder(self):
        def respond(received, status):
            self.answers[received.sequence] += 1

        return respond

    def key(self, message_id):
        return f"{self.account}:{message_id}"


@given(st.lists(messages, max_size=20))
def test_everything_is_answered_once(batch):
    lane, clock, inbox = Lane(), Clock(), Inbox()
    inbound = Inbound(read({"type": "sms"}), context(clock=clock))
    inbound.start(inbox)
    for at, message in enumerate(batch):
        inbound.take(lane, [Received(Command.DELIVER_SM, at, message)])
    clock.ahead = 1e6
    inbound.expire()
    assert lane.answers == Counter(range(len(batch)))
    assert all(report.key for report in inbox.reports)
    assert all(message.text for message in inbox.messages)


@given(st.integers(0, 255), st.text(max_size=70))
def test_every_number_is_some_address(ton, digits):
    address = NumberPlan(country_code="44").to_address(ton, digits)
    assert address.value
