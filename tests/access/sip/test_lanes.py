"""Deliveries to devices, over real sockets."""

import time
from dataclasses import replace

import pytest

from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.message import MessageKind, Part
from opencpm.domain.profile import Availability
from opencpm.domain.report import Status
from opencpm.protocols import cpim, imdn
from opencpm.protocols.mime import split_multipart
from opencpm.protocols.sip.response import encode_response
from tests.access.sip.rig import ALICE, BOB, BOB_TEL, RCS, delivery, running


async def test_a_cpm_device_gets_cpim_with_everything_the_original_had():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        one = delivery("Hello Bob", received_at=time.time())
        one = replace(one, message=replace(one.message, sent_at=1795418798.0, in_reply_to="before", subject="Lunch"))
        rig.sip.send([one])
        got = await bob.requests.get()
        assert got.uri == bob.contact.split(">")[0][1:]
        assert got.get("call-id").startswith(f"dlv-{one.id}-")
        assert got.get("p-asserted-identity") == "<sip:alice@cpm.test>, <tel:+12025550100>"
        assert got.get("p-asserted-service") == "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg"
        assert got.get("p-called-party-id") == "<sip:bob@cpm.test>"
        assert got.get("date") == "Mon, 23 Nov 2026 07:26:38 GMT"
        assert (got.get("conversation-id"), got.get("contribution-id")) == ("conv-1", "contr-1")
        assert got.get("inreplyto-contribution-id") == "before"
        wrapped = cpim.parse(got.body)
        assert (wrapped.text, wrapped.message_id, wrapped.datetime) == ("Hello Bob", "m1", "2026-11-23T07:26:38Z")
        assert wrapped.dispositions == ("positive-delivery", "display")
        assert wrapped.get("Subject") == "Lunch"
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.delivery_id, outcome.token) == (OutcomeKind.DELIVERED, one.id, 1)


async def test_a_plain_client_gets_text_and_addresses_it_can_answer():
    async with running() as rig:
        bob = await rig.device("bob")
        await bob.register()
        rig.sip.send([delivery("ok", sender=BOB_TEL)])
        got = await bob.requests.get()
        assert (got.get("content-type"), got.body) == ("text/plain;charset=UTF-8", b"ok")
        assert got.get("from").startswith("<sip:+12025550101@cpm.test;user=phone>")
        assert got.get("accept-contact") == ""


async def test_after_415_the_other_form_is_tried_and_remembered():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        bob.reply = lambda request: 415 if request.get("content-type") == "message/cpim" else 200
        await bob.register()
        rig.sip.send([delivery("one")])
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED
        rig.sip.send([delivery("two", number=2)])
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED
        types = [bob.requests.get_nowait().get("content-type") for _ in range(3)]
        assert types == ["message/cpim", "text/plain;charset=UTF-8", "text/plain;charset=UTF-8"]


async def test_a_device_that_sends_cpim_gets_cpim():
    async with running() as rig:
        bob = await rig.device("bob", "tcp")
        await bob.register()
        body = cpim.compose(b"hi", "text/plain", message_id="b1", datetime="2026-11-23T07:26:38Z")
        await bob.message("sip:alice@cpm.test", body, "message/cpim")
        rig.sip.send([delivery("hello")])
        assert (await bob.requests.get()).get("content-type") == "message/cpim"


async def test_several_media_travel_together_and_are_refused_by_text_clients():
    async with running() as rig:
        rcs, plain = await rig.device("bob", "tcp", RCS), await rig.device("alice")
        await rcs.register()
        await plain.register()
        parts = (Part("text/plain", b"see"), Part("image/png", b"\x89PNG", "a.png", 'attachment; filename="a.png"'))
        one = delivery()
        one = replace(one, message=replace(one.message, parts=parts))
        rig.sip.send([one])
        wrapped = cpim.parse((await rcs.requests.get()).body)
        assert [p.content_type for p in split_multipart(wrapped.content_type, wrapped.content)] == [
            "text/plain",
            "image/png",
        ]
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED
        rig.sip.send([replace(one, message=replace(one.message, parts=parts[1:]), target=ALICE)])
        error = (await rig.inbox.outcomes.get()).error
        assert (error.reason, error.retryable) == (Reason.UNSUPPORTED_MEDIA, False)


async def test_the_first_device_settles_and_the_others_get_their_copy():
    async with running() as rig:
        phone, tablet = await rig.device("bob", "tcp", RCS), await rig.device("bob", "udp", RCS)
        phone.reply = lambda request: 486
        await phone.register()
        await tablet.register()
        rig.sip.send([delivery("both")])
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED
        assert (await phone.requests.get()).body == (await tablet.requests.get()).body
        assert rig.inbox.outcomes.empty()


async def test_devices_that_list_the_service_come_before_plain_clients():
    async with running() as rig:
        phone, plain = await rig.device("bob", "tcp", RCS), await rig.device("bob")
        await phone.register()
        await plain.register()
        rig.sip.send([delivery()])
        await rig.inbox.outcomes.get()
        assert plain.requests.empty()


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (480, Reason.UNREACHABLE, True),
        (408, Reason.UNREACHABLE, True),
        (503, Reason.CONGESTION, True),
        (486, Reason.BUSY, False),
        (403, Reason.REJECTED, False),
        (404, Reason.UNDELIVERABLE, False),
        (413, Reason.TOO_LARGE, False),
        (603, Reason.DECLINED, False),
        (499, Reason.REJECTED, False),
    ],
)
async def test_what_a_devices_refusal_means(status, reason, retryable):
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        bob.reply = lambda request: status
        await bob.register()
        rig.sip.send([delivery()])
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.error.reason, outcome.error.retryable) == (reason, retryable)
        assert outcome.error.code == f"SIP {status}"


async def test_deferred_messages_go_one_by_one_in_order_and_stop_at_the_first_failure():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        seen = []
        bob.reply = lambda request: seen.append(cpim.parse(request.body).text) or (480 if len(seen) == 3 else 200)
        old = time.time() - 600
        rig.sip.send([delivery(str(n), number=n, received_at=old) for n in range(1, 7)])
        outcomes = [await rig.inbox.outcomes.get() for _ in range(6)]
        assert seen == ["1", "2", "3"]
        assert [o.kind for o in outcomes] == [OutcomeKind.DELIVERED] * 2 + [OutcomeKind.FAILED] * 4
        assert all(o.error.retryable for o in outcomes[2:])


async def test_one_deferred_message_is_under_way_at_a_time():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        bob.reply = None
        old = time.time() - 600
        rig.sip.send([delivery(str(n), number=n, received_at=old) for n in (1, 2)])
        first = await bob.requests.get()
        assert bob.requests.empty()
        bob.write(encode_response(first, 200, to_tag="d"))
        assert cpim.parse((await bob.requests.get()).body).text == "2"


async def test_a_device_that_registers_again_keeps_its_order():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        bob.reply = None
        old = time.time() - 600
        rig.sip.send([delivery(str(n), number=n, received_at=old) for n in (1, 2)])
        first = await bob.requests.get()
        await bob.register()
        rig.sip.send([delivery("3", number=3, received_at=old)])
        bob.reply = lambda request: 200
        bob.write(encode_response(first, 200, to_tag="d"))
        assert [cpim.parse((await bob.requests.get()).body).text for _ in range(2)] == ["2", "3"]


async def test_an_expired_message_is_not_sent():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        rig.sip.send([delivery(expires_at=time.time() - 1)])
        assert (await rig.inbox.outcomes.get()).error.reason is Reason.EXPIRED
        assert bob.requests.empty()


async def test_what_passes_its_deadline_is_given_up():
    async with running(window=1) as rig:
        bob = await rig.device("bob", "tcp", RCS)
        bob.reply = None
        await bob.register()
        rig.sip.send([delivery(number=n) for n in (1, 2)])
        await bob.requests.get()
        rig.clock.shift = 291
        rig.sip.core.lanes.sweep()
        outcomes = [await rig.inbox.outcomes.get() for _ in range(2)]
        assert {o.error.reason for o in outcomes} == {Reason.TIMEOUT}
        assert rig.sip.health().backlog == 0


async def test_a_silent_device_gets_another_chance_later_and_later():
    async with running(silent=60) as rig:
        bob = await rig.device("bob", "udp")
        await bob.register()
        await rig.inbox.reaches.get()
        registrar, binding = rig.sip.core.registrar, rig.sip.core.location.of("bob")[0]
        for pause in (60, 120, 240):
            registrar.silent(binding)
            assert (await rig.inbox.reaches.get())[1].availability is Availability.OFFLINE
            rig.clock.shift += pause - 1
            registrar.sweep()
            assert rig.inbox.reaches.empty()
            rig.clock.shift += 2
            registrar.sweep()
            assert (await rig.inbox.reaches.get())[1].availability is Availability.AVAILABLE
        registrar.heard(binding)
        assert binding.silences == 0


async def test_a_silent_device_counts_as_away_until_it_shows_itself():
    async with running() as rig:
        bob = await rig.device("bob", "udp")
        await bob.register()
        registrar = rig.sip.core.registrar
        binding = rig.sip.core.location.of("bob")[0]
        registrar.silent(binding)
        assert rig.sip.reach("bob", BOB).availability is Availability.OFFLINE
        await bob.message("sip:alice@cpm.test", b"I am here")
        assert rig.sip.reach("bob", BOB).availability is Availability.AVAILABLE


@pytest.mark.parametrize(
    ("status", "network", "kind", "said"),
    [
        (Status.DELIVERED, "sip", "delivery", "delivered"),
        (Status.DISPLAYED, "sip", "display", "displayed"),
        (Status.FAILED, "sms", "delivery", "failed"),
        (Status.ACCEPTED, "sms", "interworking", "legacy-sms"),
        (Status.ACCEPTED, "msn", "processing", "processed"),
    ],
)
async def test_notices_become_notifications(status, network, kind, said):
    async with running() as rig:
        alice = await rig.device("alice", "tcp", RCS)
        await alice.register()
        notice = Notice(
            message_id="Msg1", original_sent_at=1795418798.0, recipient=BOB_TEL, status=status, network=network
        )
        rig.sip.send([delivery(sender=BOB_TEL, target=ALICE, notice=notice)])
        wrapped = cpim.parse((await alice.requests.get()).body)
        assert wrapped.dispositions == ()
        assert wrapped.content_header("Content-Disposition") == "notification"
        found = imdn.parse(wrapped.content)
        assert (found.message_id, found.datetime) == ("Msg1", "2026-11-23T07:26:38Z")
        assert (found.kind, found.status, found.recipient_uri) == (kind, said, "tel:+12025550101")


async def test_a_plain_client_gets_bare_notifications_once_it_has_sent_one():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        notice = Notice(message_id="c1", original_sent_at=1795418798.0, recipient=BOB, status=Status.DELIVERED)
        rig.sip.send([delivery(sender=BOB, target=ALICE, notice=notice)])
        assert (await rig.inbox.outcomes.get()).error.reason is Reason.UNSUPPORTED_MEDIA
        body = imdn.build(imdn.Imdn("x", "2026-11-23T07:26:38Z", "delivery", "delivered"))
        await alice.message("sip:bob@cpm.test", body, "message/imdn+xml")
        rig.sip.send([delivery(sender=BOB, target=ALICE, notice=notice, number=2)])
        assert (await alice.requests.get()).get("content-type") == "message/imdn+xml"


async def test_system_messages_come_from_the_service():
    async with running() as rig:
        from opencpm.domain.address import Address

        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        one = delivery("3 waiting", sender=Address("cpm", "server"))
        rig.sip.send([replace(one, message=replace(one.message, kind=MessageKind.SYSTEM))])
        got = await bob.requests.get()
        assert got.get("p-asserted-identity") == "<sip:service@cpm.test>"
        assert got.get("p-asserted-service").endswith(".systemmsg")


async def test_a_foreign_identity_stands_behind_our_domain():
    async with running() as rig:
        from opencpm.domain.address import Address

        alice = await rig.device("alice", "tcp", RCS)
        await alice.register()
        rig.sip.send([delivery(sender=Address("msn", "bob@msn.test"), target=ALICE)])
        assert (await alice.requests.get()).get("from").startswith("<sip:bob%40msn.test@cpm.test>")


async def test_a_message_too_long_for_a_datagram_is_refused():
    async with running() as rig:
        bob = await rig.device("bob")
        await bob.register()
        rig.sip.send([delivery("x" * 62_000)])
        assert (await rig.inbox.outcomes.get()).error.reason is Reason.TOO_LARGE
