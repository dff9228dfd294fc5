from opencpm.domain.address import Address
from opencpm.domain.session import Composing
from opencpm.protocols import iscomposing
from tests.access.sip.rig import ALICE, BOB, RCS, running


async def test_typing_reaches_cpm_devices_and_plain_ones_that_accept_it():
    async with running() as rig:
        phone = await rig.device("bob", "tcp", RCS)
        await phone.register()
        rig.sip.composing(ALICE, BOB, Composing(True, 30.0))
        got = await phone.requests.get()
        assert got.get("content-type") == "application/im-iscomposing+xml"
        assert iscomposing.parse(got.body) == iscomposing.IsComposing(True, "text/plain", 30)
        assert rig.inbox.outcomes.empty()


async def test_a_plain_client_is_asked_first():
    async with running() as rig:
        plain = await rig.device("bob")
        await plain.register()
        rig.sip.composing(ALICE, BOB, Composing(True))
        await plain.message(
            "sip:alice@cpm.test", b"x", "text/plain", ("Accept", "text/plain, application/im-iscomposing+xml")
        )
        assert plain.requests.empty()
        rig.sip.composing(ALICE, BOB, Composing(False))
        assert iscomposing.parse((await plain.requests.get()).body).active is False


async def test_typing_for_nobody_is_dropped():
    async with running() as rig:
        rig.sip.composing(ALICE, Address("sip", "nobody@cpm.test"), Composing(True))
        rig.sip.composing(ALICE, BOB, Composing(True))
