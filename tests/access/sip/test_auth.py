"""Who may send what, over real sockets."""

from dataclasses import replace

import pytest

from opencpm.protocols.sip.headers import parse_auth
from tests.access.sip.rig import DOMAIN, PASSWORDS, authorization, running

BOB_URI = f"sip:bob@{DOMAIN}"


async def test_over_udp_each_message_is_challenged_and_over_tcp_the_registered_flow_is_enough():
    async with running() as rig:
        for transport, status in (("udp", 401), ("tcp", 202)):
            alice = await rig.device("alice", transport)
            await alice.register()
            first = await alice.ask("MESSAGE", BOB_URI, ("Content-Type", "text/plain"), body=b"x")
            assert first.status == status


async def test_a_flow_speaks_for_its_own_user_only():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        alice.user = "bob"
        assert (await alice.ask("MESSAGE", BOB_URI, ("Content-Type", "text/plain"), body=b"x")).status == 401


async def test_udp_flows_can_be_trusted_by_setting():
    async with running(trust_flows=["udp"]) as rig:
        alice = await rig.device("alice")
        await alice.register()
        assert (await alice.ask("MESSAGE", BOB_URI, ("Content-Type", "text/plain"), body=b"x")).status == 202


@pytest.mark.parametrize("qop", [True, False])
@pytest.mark.parametrize("index", [0, 1])
async def test_both_algorithms_with_and_without_qop(qop, index):
    async with running() as rig:
        alice = await rig.device("alice")
        fields = [("Contact", alice.contact)]
        to, uri = f"sip:alice@{DOMAIN}", f"sip:{DOMAIN}"
        asked = await alice.ask("REGISTER", uri, *fields, to=to)
        challenge = asked.fields("www-authenticate")[index]
        assert parse_auth(challenge).get("algorithm") == ("MD5", "SHA-256")[index]
        value = authorization(challenge, "alice", PASSWORDS["alice"], "REGISTER", uri, qop=qop)
        assert (await alice.ask("REGISTER", uri, *fields, ("Authorization", value), to=to)).status == 200


async def test_wrong_passwords_are_challenged_again_then_barred():
    async with running(failures=2) as rig:
        alice = await rig.device("alice")
        for _ in range(2):
            assert (await alice.register(password="guess")).status == 401
        answer = await alice.register(password="guess")
        assert (answer.status, answer.reason) == (403, "Too Many Wrong Passwords")


async def test_an_empty_response_is_a_question_and_never_counts_as_a_failure():
    async with running(failures=1) as rig:
        alice = await rig.device("alice")
        empty = 'Digest username="alice@cpm.test", realm="cpm.test", uri="sip:cpm.test", response=""'
        for _ in range(5):
            answer = await alice.ask("REGISTER", f"sip:{DOMAIN}", ("Authorization", empty), to=f"sip:alice@{DOMAIN}")
            assert answer.status == 401


async def test_a_user_name_with_the_realm_is_taken():
    async with running() as rig:
        alice = await rig.device("alice")
        to, uri = f"sip:alice@{DOMAIN}", f"sip:{DOMAIN}"
        asked = await alice.ask("REGISTER", uri, ("Contact", alice.contact), to=to)
        value = authorization(asked.get("www-authenticate"), "alice@cpm.test", "alicepw", "REGISTER", uri, qop=False)
        answer = await alice.ask("REGISTER", uri, ("Contact", alice.contact), ("Authorization", value), to=to)
        assert answer.status == 200


async def test_an_answer_for_another_target_is_refused():
    async with running() as rig:
        alice = await rig.device("alice")
        text = ("Content-Type", "text/plain")
        asked = await alice.ask("MESSAGE", BOB_URI, text, body=b"x")
        value = authorization(asked.get("www-authenticate"), "alice", "alicepw", "MESSAGE", BOB_URI)
        stolen = await alice.ask("MESSAGE", "sip:desk@cpm.test", text, ("Authorization", value), body=b"x")
        assert stolen.status == 401
        assert rig.inbox.messages.empty()


async def test_an_old_nonce_is_called_stale():
    async with running() as rig:
        alice = await rig.device("alice")
        text = ("Content-Type", "text/plain")
        asked = await alice.ask("MESSAGE", BOB_URI, text, body=b"x")
        value = authorization(asked.get("www-authenticate"), "alice", "alicepw", "MESSAGE", BOB_URI)
        rig.clock.shift = 301
        answer = await alice.ask("MESSAGE", BOB_URI, text, ("Authorization", value), body=b"x")
        assert answer.status == 401
        assert parse_auth(answer.get("www-authenticate")).get("stale") == "true"


async def test_clients_that_give_up_at_other_digests_are_offered_md5_alone():
    async with running() as rig:
        alice, bob = await rig.device("alice"), await rig.device("bob")
        asked = await alice.ask(
            "REGISTER", f"sip:{DOMAIN}", ("User-Agent", "baresip v1.0.0 (x86_64/linux)"), to=f"sip:alice@{DOMAIN}"
        )
        assert len(asked.fields("www-authenticate")) == 1
        offered = [
            len((await bob.ask("REGISTER", f"sip:{DOMAIN}", to=BOB_URI)).fields("www-authenticate")) for _ in range(2)
        ]
        assert offered == [2, 1]


@pytest.mark.parametrize(
    ("preferred", "sender"),
    [
        ("<tel:+12025550100>", "tel:+12025550100"),
        ("<sip:bob@cpm.test>", "sip:alice@cpm.test"),
        ("nonsense<", "sip:alice@cpm.test"),
    ],
)
async def test_the_asserted_identity_is_one_of_the_users_own(preferred, sender):
    async with running() as rig:
        alice = await rig.device("alice")
        await alice.message(BOB_URI, b"x", "text/plain", ("P-Preferred-Identity", preferred))
        assert str((await rig.inbox.messages.get()).sender) == sender


async def test_a_barred_user_gets_403():
    async with running() as rig:
        rig.people.people[0] = replace(rig.people.people[0], barred=True)
        alice = await rig.device("alice")
        assert (await alice.message(BOB_URI, b"x")).status == 403
