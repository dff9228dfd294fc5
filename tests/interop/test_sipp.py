"""SIPp against the running server: registration, pager mode both ways, its errors, and sessions."""

from contextlib import asynccontextmanager

import pytest

from opencpm.lab.device import Refused
from tests.interop.house import ALICE, BOB, PASSWORDS, PHONE, house
from tests.interop.sipp import RCS, User, acknowledged, expect, pause, perhaps, run, scenario, sipp, take

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("sipp_is_there")]
BOTH = pytest.mark.parametrize(("transport", "mode"), [("udp", "u1"), ("tcp", "t1")])
USER = User("alice", PASSWORDS["alice"])
REGISTERS = (USER.register(1), expect(401, challenge=True), USER.register(2, proof=True))
LEAVES = (USER.register(3, expires=0), expect(401, challenge=True), USER.register(4, proof=True, expires=0))
CPIM = "message/cpim"
FEATURES = f';+g.3gpp.icsi-ref="{RCS}"'


def says(body, to="bob", **more):
    """A text sent as SIPp does it: challenged, then proved."""
    return (
        USER.message(1, to, body, **more),
        expect(401, challenge=True, WWW_Authenticate="Digest realm=.cpm.test"),
        USER.message(2, to, body, proof=True, **more),
    )


def wrapped(text, message_id="m-[pid]-[call_number]"):
    return (
        "From: <sip:anonymous@anonymous.invalid>\nTo: <sip:anonymous@anonymous.invalid>\n"
        "NS: imdn <urn:ietf:params:imdn>\n"
        f"imdn.Message-ID: {message_id}\nDateTime: 2026-11-24T08:00:00.000Z\n"
        "imdn.Disposition-Notification: positive-delivery, display\n\n"
        f"Content-Type: text/plain;charset=UTF-8\nContent-Length: {len(text)}\n\n{text}"
    )


@asynccontextmanager
async def plays_alice(tmp_path, server, transport, mode, contact, *aside):
    """SIPp registers as Alice's device and answers what comes by the steps given."""
    registers = (USER.register(1), expect(401, challenge=True), USER.register(2, proof=True, contact=contact))
    main = scenario(tmp_path, "main", *registers, expect(200), pause(15000))
    answers = scenario(tmp_path, "aside", *aside)
    async with sipp(main, server.port(transport), "-m", "1", "-oocsf", answers.name, transport=mode) as program:
        await server.until_registered("alice")
        yield program


@BOTH
async def test_registers_and_leaves(tmp_path, transport, mode):
    granted = expect(200, Contact="expires=600", P_Associated_URI="tel:.12025550100", Service_Route="lr")
    async with house(tmp_path) as server:
        await run(scenario(tmp_path, "comes", *REGISTERS, granted), server.port(transport), transport=mode)
        if transport == "udp":
            assert server.registered("alice")
        else:  # the connection went with SIPp, and the way to the device with it
            await server.until(lambda: not server.registered("alice"))
        gone = scenario(tmp_path, "goes", *REGISTERS, granted, *LEAVES, expect(200))
        await run(gone, server.port(transport), transport=mode)


async def test_only_sha_256(tmp_path):
    """SIPp 3.6 knows MD5 alone: where the operator wants SHA-256 it cannot come in, and is never let in."""
    async with house(tmp_path, digest_algorithms=["SHA-256"]) as server:
        steps = (USER.register(1), expect(401, WWW_Authenticate="algorithm=SHA-256"))
        await run(scenario(tmp_path, "sha256", *steps), server.port("udp"))
        assert not server.registered("alice")


async def test_a_wrong_password_is_asked_again(tmp_path):
    other = User("alice", "not-hers")
    steps = (other.register(1), expect(401, challenge=True), other.register(2, proof=True), expect(401))
    async with house(tmp_path) as server:
        await run(scenario(tmp_path, "wrong", *steps), server.port("udp"))
        assert not server.registered("alice")


async def test_an_unknown_name_learns_no_more_than_a_wrong_password(tmp_path):
    nobody = User("nobody", "secret")
    steps = (nobody.register(1), expect(401, challenge=True), nobody.register(2, proof=True), expect(401))
    async with house(tmp_path) as server:
        await run(scenario(tmp_path, "unknown", *steps), server.port("udp"))


@BOTH
async def test_a_text_to_a_subscriber_who_is_away_waits(tmp_path, transport, mode):
    async with house(tmp_path) as server:
        await run(scenario(tmp_path, "text", *says("Hello [call_number]"), expect(202)), server.port(transport),
                  transport=mode)  # fmt: skip
        assert server.texts() == ["Hello 1"]
        async with server.device("bob") as bob:
            await server.until_state("delivered")
            assert [heard.text for heard in bob.inbox] == ["Hello 1"]


@pytest.mark.parametrize(
    "to", [PHONE, f"tel:{PHONE}", f"sip:{PHONE}@cpm.test;user=phone", "sip:2025550155@cpm.test;user=phone"]
)
async def test_a_text_to_a_number_goes_out_as_sms(tmp_path, to):
    async with house(tmp_path) as server:
        phone = server.smsc.handset(PHONE)
        await run(scenario(tmp_path, "sms", *says("Hello phone", to), expect(202)), server.port("udp"))
        text = await phone.wait_text(0)
        assert (text.text, text.sender) == ("Hello phone", "+12025550100")


@BOTH
@pytest.mark.parametrize(("contact", "kind"), [("", "text/plain"), (FEATURES, CPIM)])
async def test_receives_what_its_contact_says_it_takes(tmp_path, transport, mode, contact, kind):
    async with (
        house(tmp_path) as server,
        server.device("bob") as bob,
        plays_alice(
            tmp_path, server, transport, mode, contact, take("MESSAGE", contains="Hello Alice", Content_Type=kind)
        ),
    ):
        assert (await bob.message("sip:alice@cpm.test", "Hello Alice")).status == 202
        await server.until_state("delivered", "bob", ALICE)
        await bob.journal.wait("imdn")


async def test_a_device_that_refuses_cpim_gets_the_bare_text(tmp_path):
    tries = (take("MESSAGE", "415 Unsupported Media Type", Content_Type=CPIM), take("MESSAGE", Content_Type="text"))
    async with (
        house(tmp_path) as server,
        server.device("bob") as bob,
        plays_alice(tmp_path, server, "udp", "u1", FEATURES, *tries),
    ):
        await bob.message("sip:alice@cpm.test", "Hello Alice")
        await server.until_state("delivered", "bob", ALICE)


async def test_a_device_that_refuses_everything_makes_it_fail(tmp_path):
    async with (
        house(tmp_path) as server,
        server.device("bob") as bob,
        plays_alice(tmp_path, server, "udp", "u1", FEATURES, take("MESSAGE", "603 Decline")),
    ):
        await bob.message("sip:alice@cpm.test", "Hello Alice")
        await server.until_state("failed", "bob", ALICE)
        await server.until(lambda: [told.status for told in bob.imdns] == ["failed"])


@pytest.mark.parametrize("answer", ["486 Busy Here", "603 Decline"])
async def test_an_invitation_it_refuses(tmp_path, answer):
    refuses = (take("INVITE", "180 Ringing", answer, Content_Type="application/sdp"), acknowledged())
    async with (
        house(tmp_path) as server,
        server.device("bob") as bob,
        plays_alice(tmp_path, server, "udp", "u1", FEATURES, *refuses),
    ):
        with pytest.raises(Refused) as refused:
            await bob.invite("sip:alice@cpm.test")
        assert refused.value.status == int(answer[:3])


@BOTH
async def test_lost_answers_do_not_double_a_text(tmp_path, transport, mode):
    """Over UDP SIPp lets some 202s fall and repeats its MESSAGE; over TCP there is nothing to repeat."""
    lost = 25 if transport == "udp" else 0
    async with house(tmp_path) as server:
        steps = (*says("Hello [call_number]"), expect(202, lost=lost))
        path = scenario(tmp_path, "lossy", *steps)
        await run(path, server.port(transport), transport=mode, calls=20, rate=200)
        assert sorted(server.texts(), key=lambda text: int(text[6:])) == [f"Hello {n}" for n in range(1, 21)]


async def test_the_same_message_id_again_is_the_same_message(tmp_path):
    """A device that saw no answer at all sends its text anew: other Call-ID, other transaction, one message."""
    async with house(tmp_path) as server:
        again = scenario(tmp_path, "again", *says(wrapped("Hello Bob", "once"), content_type=CPIM), expect(202))
        await run(again, server.port("udp"), calls=3)
        assert server.texts() == ["Hello Bob"]


@pytest.mark.parametrize(
    ("to", "status", "more"),
    [
        ("nobody", 404, {}),
        ("bob", 483, {"fields": (("Max-Forwards", "0"),)}),
        ("bob", 400, {"content_type": CPIM}),
        ("bob", 415, {"content_type": "application/x-unheard-of"}),
        ("bob", 415, {"fields": (("Content-Encoding", "x-unheard-of"),)}),
        ("bob", 400, {"fields": (("Expires", "soon"),)}),
        ("bob", 420, {"fields": (("Require", "x-unheard-of"),)}),
    ],
)
async def test_refusals(tmp_path, to, status, more):
    first = USER.message(1, to, "no CPIM at all", **more)
    steps = (first, expect(401, challenge=True), USER.message(2, to, "no CPIM at all", proof=True, **more))
    async with house(tmp_path) as server:
        if status in (483, 420):  # said before anybody is asked who they are
            steps = (first,)
        await run(scenario(tmp_path, "refused", *steps, expect(status)), server.port("udp"))
        assert server.texts() == []


async def test_a_text_over_the_limit_is_too_large(tmp_path):
    async with house(tmp_path, max_message_bytes=2000) as server:
        large = scenario(tmp_path, "large", *says("x" * 2001), expect(413))
        await run(large, server.port("tcp"), transport="t1")
        fits = scenario(tmp_path, "fits", *says("x" * 2000), expect(202))
        await run(fits, server.port("tcp"), transport="t1")
        assert [len(text) for text in server.texts()] == [2000]


async def test_a_session_is_set_up_and_ended(tmp_path):
    offer = (
        "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=message 9 TCP/MSRP *\na=setup:active\n"
        "a=accept-types:message/cpim\na=path:msrp://[local_ip]:9/s[pid];tcp\na=sendrecv\n"
    )
    steps = (
        USER.invite(1, "bob", offer), perhaps(100), expect(401, challenge=True), USER.refused(1, "bob"),
        USER.invite(2, "bob", offer, proof=True), perhaps(100), perhaps(180),
        expect(200, Content_Type="application/sdp", Contact="sip:"), USER.within("ACK", 2, "bob"),
        USER.within("BYE", 3, "bob"), expect(200),
    )  # fmt: skip
    async with house(tmp_path) as server, server.device("bob") as bob:
        await run(scenario(tmp_path, "session", *steps), server.port("tcp"), transport="t1")
        await bob.journal.wait("closed")


async def test_a_call_is_not_for_us(tmp_path):
    audio = "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\n"
    steps = (
        USER.invite(1, "bob", audio), perhaps(100), expect(401, challenge=True), USER.refused(1, "bob"),
        USER.invite(2, "bob", audio, proof=True), perhaps(100), expect(488), USER.refused(2, "bob"),
    )  # fmt: skip
    async with house(tmp_path) as server, server.device("bob"):
        await run(scenario(tmp_path, "call", *steps), server.port("udp"))


async def test_a_burst_is_stored_whole(tmp_path):
    async with house(tmp_path) as server:
        burst = scenario(tmp_path, "burst", *says("Hello [call_number]"), expect(202))
        await run(burst, server.port("udp"), calls=200, rate=400)
        contact = server.app.directory.contact("alice", BOB).id
        assert len(server.app.store.history("alice", contact, 500)) == 200
