"""Whatever an ESME submits: nothing is raised, and every request gets exactly one answer."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.access.smpp import SmppConnector
from opencpm.access.smpp.session import Peer
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, text_part
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, DeliveryRecord
from opencpm.protocols.smpp.binding import Bind
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.pdu import Pdu, decode, encode
from opencpm.protocols.smpp.short_message import ShortMessage, encode_short_message
from opencpm.settings import SmppSettings
from tests.access.smpp.test_ids import Ids
from tests.interworking.sms.support import State

SHOP = Subscriber(id="shop", name="Shop", addresses=(Address("tel", "60606"), Address("alpha", "Shop")))
BIND = encode(Bind(system_id="shop", password="x").pdu(1))

octet = st.integers(0, 255)
number = st.sampled_from(["", "60606", "Shop", "alice@cpm.test", "+1", "00000000000", "ж".encode().decode("latin-1")])
text = st.one_of(st.binary(max_size=140), st.sampled_from([b"\5\0\3\7\2\1ab", b"\5\0\3\7\2\2cd", b"\5\0\3\7\0\0"]))
tlv = st.one_of(
    st.tuples(st.sampled_from([0x020C, 0x020E, 0x020F, 0x0424, 0x020B]), st.binary(max_size=4)),
    st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=8)),
)
validity = st.sampled_from(["", "000000010000000R", "991231235959948-", "garbage"])
message = st.builds(
    ShortMessage,
    source=number,
    destination=number,
    message=text,
    source_ton=octet,
    destination_ton=octet,
    esm_class=st.sampled_from([0, 0x40, 0x04, 0xC3]),
    registered_delivery=octet,
    data_coding=octet,
    schedule=validity,
    validity=validity,
    tlvs=st.lists(tlv, max_size=4).map(tuple),
)
request = st.sampled_from(
    [Command.QUERY_SM, Command.CANCEL_SM, Command.REPLACE_SM, Command.SUBMIT_MULTI, Command.BROADCAST_SM]
).flatmap(
    lambda command: st.builds(
        lambda ident, sender, receiver, body, times: Pdu(
            command,
            0,
            9,
            {
                "message_id": ident,
                "source_addr": sender,
                "destination_addr": receiver,
                "short_message": body,
                "schedule_delivery_time": times[0],
                "validity_period": times[1],
                "dest_addresses": ((1, 1, sender), (0, 0, "list:x")),
            },
        ),
        st.one_of(number, st.sampled_from(["606060606060", "606060606000"])),
        number,
        number,
        text,
        st.tuples(validity, validity),
    )
)


STORED = Message(
    id="m",
    message_id="606060606060",
    sender=SHOP.addresses[0],
    recipients=(Address("tel", "+1"),),
    parts=(text_part("Hello"),),
    sent_at=0.0,
    received_at=0.0,
    origin="smpp",
)


def record_of(stored):
    return DeliveryRecord(
        id="m.0",
        message=stored,
        recipient=stored.recipients[0],
        state=DeliveryState.QUEUED,
        created_at=0.0,
        expires_at=0.0,
    )


class Directory:
    def contact(self, owner, address):
        return Contact(id="c", owner=owner, name="", addresses=(address,))

    def subscriber(self, name):
        return SHOP if name == "shop" else None

    def proves(self, name, password):
        return True

    def watch(self, changed):
        pass


class Clock:
    def now(self):
        return 1_790_000_000.0


class Inbox:
    """Also what takes back and replaces: the verdict is the same."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.recalls = self

    def cancel(self, message_id, by, done, recipient=None):
        assert by in SHOP.addresses
        done(self.verdict)

    def replace(self, message_id, by, instead, done):
        assert by in SHOP.addresses
        assert instead.of(STORED).text
        done(self.verdict)

    def received(self, messages, done):
        assert all(m.text and m.sender in SHOP.addresses and len(m.recipients) == 1 for m in messages)
        done([self.verdict] * len(messages))

    def reach_changed(self, *what):
        pass


class Store(State):
    """Every second message that is asked for was submitted."""

    def deliveries_of(self, message_id):
        return []

    def message(self, message_id):
        return STORED if int(message_id, 16) % 2 else None

    def history(self, owner, peer, limit):
        return [(record_of(STORED), True)]

    def delivery(self, delivery_id):
        return None


def served(octets, verdict):
    """What the server answers to octets of a bound ESME."""

    async def serve():
        store = Store()
        context = Context(name="smpp", clock=Clock(), ids=Ids(), store=store, directory=Directory())
        connector = SmppConnector(SmppSettings(enabled=True), context, store)
        connector._inbox = Inbox(verdict)
        connector._submits.start(connector._inbox)
        connector._requests.start(connector._inbox)
        peer = Peer(connector, 0.0, 10.0)
        connector.heard(peer, peer.session.receive(BIND, 0.0))
        peer.session.take()
        connector.heard(peer, peer.session.receive(octets, 0.0))
        assert peer.account.pending == 0
        return peer.session.take()

    answered = asyncio.run(serve())
    pdus = []
    while answered:
        length = int.from_bytes(answered[:4], "big")
        pdus.append(decode(answered[:length]))
        answered = answered[length:]
    return pdus


verdicts = st.sampled_from(
    [None, *[SendError(reason) for reason in Reason], SendError(Reason.INTERNAL, retryable=True)]
)


@settings(max_examples=150)
@given(st.lists(message, min_size=1, max_size=4), verdicts)
def test_every_submit_is_answered_once(messages, verdict):
    octets = b""
    sequences = []
    for sequence, one in enumerate(messages, 2):
        try:
            octets += encode_short_message(Command.SUBMIT_SM, sequence, one)
        except SmppError:
            continue
        sequences.append(sequence)
    answers = served(octets, verdict)
    assert sorted(pdu.sequence for pdu in answers) == sequences
    assert {pdu.command for pdu in answers} <= {0x80000004}


@settings(max_examples=100)
@given(request, verdicts)
def test_every_other_request_is_answered_once(pdu, verdict):
    try:
        octets = encode(pdu)
    except SmppError:
        return
    (answer,) = served(octets, verdict)
    assert answer.sequence == 9


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_noise_never_raises(octets):
    served(octets, None)
