"""REGISTER over real sockets."""

import pytest

from opencpm.domain.profile import Availability
from opencpm.protocols.sip.headers import parse_name_addr
from tests.access.sip.rig import DOMAIN, RCS, delivery, running

INSTANCE = '+sip.instance="<urn:uuid:6f474eac-f1a1-4085-b654-c9ed5c9cf1c3>"'
TO = f"sip:alice@{DOMAIN}"


def contacts(response):
    return [parse_name_addr(value) for value in response.values("contact")]


async def test_the_answer_names_identities_route_and_the_binding():
    async with running() as rig:
        alice = await rig.device("alice", "tcp", INSTANCE, "reg-id=1", RCS)
        answer = await alice.register(("Supported", "path, gruu, outbound"))
        assert answer.status == 200
        assert answer.get("p-associated-uri") == "<sip:alice@cpm.test>, <tel:+12025550100>"
        assert answer.get("service-route").startswith("<sip:orig@127.0.0.1:")
        assert answer.get("require") == "outbound"
        contact = contacts(answer)[0]
        assert contact.parameters["pub-gruu"] == ("sip:alice@cpm.test;gr=urn:uuid:6f474eac-f1a1-4085-b654-c9ed5c9cf1c3")
        assert contact.parameters["temp-gruu"].startswith("sip:tgruu.")
        assert 3590 <= int(contact.parameters["expires"]) <= 3600
        assert contact.parameters["+g.3gpp.icsi-ref"] in RCS


async def test_fetch_update_remove_one_and_remove_all():
    async with running() as rig:
        alice, tablet = await rig.device("alice"), await rig.device("alice", "tcp")
        await alice.register()
        assert len(contacts(await tablet.register())) == 2
        fetched = await alice.ask_with_digest("REGISTER", f"sip:{DOMAIN}", to=TO)
        assert len(contacts(fetched)) == 2
        removed = await tablet.register(expires=0)
        assert [c.uri for c in contacts(removed)] == [parse_name_addr(alice.contact).uri]
        gone = await alice.ask_with_digest("REGISTER", f"sip:{DOMAIN}", ("Contact", "*"), ("Expires", "0"), to=TO)
        assert (gone.status, contacts(gone)) == (200, [])
        assert rig.state.rooms["sip.bindings"] == {}
        assert rig.sip.reach("alice", None).availability is Availability.OFFLINE


async def test_the_same_instance_is_the_same_binding_on_another_connection():
    async with running() as rig:
        one, two = await rig.device("alice", "tcp", INSTANCE), await rig.device("alice", "tcp", INSTANCE)
        await one.register()
        assert len(contacts(await two.register())) == 1
        rig.sip.send([delivery(target=rig.people.people[0].addresses[0])])
        assert (await two.requests.get()).method == "MESSAGE"
        assert one.requests.empty()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([("Contact", "<sip:a@h>;expires=5")], 423),
        ([("Contact", "*")], 400),
        ([("Contact", "*"), ("Expires", "60")], 400),
        ([("Contact", "<sip:a@h>"), ("Expires", "soon")], 400),
        ([("Contact", "<mailto:a@h>")], 416),
        ([("Contact", "<sip:broken")], 400),
        ([("Contact", ", ".join(f"<sip:a@h{i}>" for i in range(30)))], 400),
        ([("Contact", ", ".join(f"<sip:a@h{i}>" for i in range(11)))], 403),
    ],
)
async def test_what_cannot_be_registered(fields, status):
    async with running() as rig:
        alice = await rig.device("alice")
        answer = await alice.ask_with_digest("REGISTER", f"sip:{DOMAIN}", *fields, to=TO)
        assert answer.status == status
        if status == 423:
            assert answer.get("min-expires") == "60"
        assert rig.state.rooms.get("sip.bindings", {}) == {}


async def test_long_registrations_are_cut_and_a_bad_contact_expiry_counts_as_the_default():
    async with running() as rig:
        alice = await rig.device("alice")
        assert contacts(await alice.register(expires=60000))[0].parameters["expires"] == "3600"
        alice.tags = ("expires=never",)
        assert contacts(await alice.register(expires=90))[0].parameters["expires"] == "3600"


async def test_an_overtaken_register_changes_nothing():
    async with running() as rig:
        alice = await rig.device("alice")
        await alice.register()
        late = alice.cseq
        alice.cseq = iter([1, 2])
        assert (await alice.register(expires=0)).status == 500
        alice.cseq = late
        assert len(contacts(await alice.ask_with_digest("REGISTER", f"sip:{DOMAIN}", to=TO))) == 1


async def test_nobody_registers_for_somebody_else():
    async with running() as rig:
        alice = await rig.device("alice")
        answer = await alice.ask_with_digest(
            "REGISTER", f"sip:{DOMAIN}", ("Contact", alice.contact), to=f"sip:bob@{DOMAIN}"
        )
        assert answer.status == 403
        answer = await alice.ask_with_digest(
            "REGISTER", f"sip:{DOMAIN}", ("Contact", alice.contact), to=f"sip:nobody@{DOMAIN}"
        )
        assert answer.status == 404


async def test_expired_bindings_go_and_are_told():
    async with running() as rig:
        alice = await rig.device("alice")
        await alice.register(expires=60)
        await rig.inbox.reaches.get()
        rig.clock.shift = 61
        rig.sip.core.registrar.sweep()
        user, reach = await rig.inbox.reaches.get()
        assert (user, reach.availability) == ("alice", Availability.OFFLINE)


async def test_gruus_lead_to_one_device():
    async with running() as rig:
        alice, other = await rig.device("alice", "tcp", INSTANCE), await rig.device("alice", "tcp")
        answer = await alice.register(("Supported", "gruu"))
        await other.register()
        parameters = contacts(answer)[0].parameters
        registrar = rig.sip.core.registrar
        for gruu in (parameters["pub-gruu"], parameters["temp-gruu"]):
            subscriber, devices = registrar.resolve(gruu)
            assert subscriber.id == "alice"
            assert [d.contact for d in devices] == [parse_name_addr(alice.contact).uri]
        assert len(registrar.resolve("sip:alice@cpm.test")[1]) == 2
        assert registrar.resolve("sip:tgruu.guessed@cpm.test;gr") is None
        assert registrar.resolve("sip:intruder@cpm.test") is None


async def test_gruus_can_be_switched_off():
    async with running(gruu=False) as rig:
        alice = await rig.device("alice", "tcp", INSTANCE)
        assert "pub-gruu" not in contacts(await alice.register(("Supported", "gruu")))[0].parameters


async def test_features_of_all_devices_make_the_reach():
    async with running() as rig:
        rcs = await rig.device("alice", "tcp", INSTANCE, RCS)
        plain = await rig.device("alice")
        await rcs.register()
        await plain.register(("Allow", "MESSAGE"))
        reach = rig.sip.reach("alice", None)
        assert reach.features == {"msg", "session", "cpim"}
        assert reach.detail == "2 devices registered"


async def test_a_device_with_two_flows_gets_one_copy():
    async with running() as rig:
        one, two = (
            await rig.device("alice", "tcp", INSTANCE, "reg-id=1"),
            await rig.device("alice", "tcp", INSTANCE, "reg-id=2"),
        )
        await one.register()
        assert len(contacts(await two.register())) == 2
        rig.sip.send([delivery(target=rig.people.people[0].addresses[0])])
        await rig.inbox.outcomes.get()
        assert one.requests.qsize() + two.requests.qsize() == 1
        two.close()
        while rig.sip.core.listeners.connections == 2:
            await rig.inbox.reaches.get()
        rig.sip.send([delivery(target=rig.people.people[0].addresses[0], number=2)])
        assert (await rig.inbox.outcomes.get()).source == "SIP 200 from device"
        assert one.requests.qsize() >= 1
