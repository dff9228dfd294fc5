"""OPTIONS and the methods that are not served."""

import pytest

from opencpm.access.sip.capabilities import merged_tags
from opencpm.protocols.sip.features import features_of, services_of
from opencpm.protocols.sip.headers import parse_name_addr
from tests.access.sip.rig import RCS, running

FILES = '+g.3gpp.iari-ref="urn%3Aurn-7%3A3gpp-application.ims.iari.rcs.fthttp"'


async def test_the_tags_of_all_devices_are_merged():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        phone, tablet = await rig.device("bob", "tcp", RCS), await rig.device("bob", "udp", FILES)
        for device in (alice, phone, tablet):
            await device.register(("Allow", "INVITE, MESSAGE"))
        answer = await alice.ask("OPTIONS", "sip:bob@cpm.test")
        assert answer.status == 200
        assert answer.get("p-asserted-identity") == "<sip:bob@cpm.test>"
        assert answer.get("allow") == "INVITE, MESSAGE"
        features = features_of(parse_name_addr(answer.get("contact")).parameters)
        assert services_of(features) == {"msg", "session"}
        assert features["+g.3gpp.iari-ref"] == {"urn:urn-7:3gpp-application.ims.iari.rcs.fthttp"}


@pytest.mark.parametrize(("uri", "status"), [("sip:bob@cpm.test", 480), ("sip:intruder@cpm.test", 404)])
async def test_users_who_are_not_there(uri, status):
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        assert (await alice.ask("OPTIONS", uri)).status == status


async def test_strangers_learn_nothing_of_users_but_may_ask_about_the_server():
    async with running() as rig:
        alice = await rig.device("alice")
        assert (await alice.ask("OPTIONS", "sip:bob@cpm.test")).status == 401
        answer = await alice.ask("OPTIONS", "sip:cpm.test")
        assert answer.status == 200
        assert "MESSAGE" in answer.get("allow")
        assert "message/cpim" in answer.get("accept")


@pytest.mark.parametrize(
    ("method", "status"),
    [("SUBSCRIBE", 489), ("PUBLISH", 489), ("NOTIFY", 481), ("REFER", 405), ("INFO", 405), ("FROBNICATE", 501)],
)
async def test_methods_that_are_not_served(method, status):
    async with running() as rig:
        alice = await rig.device("alice")
        answer = await alice.ask(method, "sip:bob@cpm.test")
        assert answer.status == status
        if status in (405, 501):
            assert "MESSAGE" in answer.get("allow")


def test_no_devices_have_no_tags():
    assert merged_tags([]) == []
