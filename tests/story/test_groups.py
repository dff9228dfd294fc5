"""Group sessions over real wires: devices by SIP and MSRP, Bob on MSN, a phone by SMS, in one group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opencpm.lab.device import DeviceGroup, LabDevice, Refused, convene, group_of, rejoin
from opencpm.lab.device.groups import FACTORY
from tests.story.village import ALICE, BOB_MSN, CAROL, OFF, Village, village

PHONE = "+12025550133"
BOB = f"sip:{BOB_MSN.replace('@', '%40')}@cpm.test"


async def joined(device: LabDevice) -> DeviceGroup:
    """The group into which a device is invited."""
    await device.journal.wait("established")
    return group_of(device, next(chat for chat in device.chats.values() if chat.is_group))


async def heard(device: LabDevice, text: str) -> str:
    """Who said it, once it is there."""
    return (await device.journal.wait("message", lambda entry: entry.what == text)).facts["sender"]


async def until(place: Village, group: DeviceGroup, entity: str, status: str) -> None:
    try:
        await place.until(lambda: group.status(entity) == status)
    except TimeoutError:
        trail = [(e.step.value, e.what) for g in place.app.messaging.groups.of("alice") for e in place.trail(g.id)]
        raise AssertionError((group.status(entity), group.info, trail)) from None


async def test_one_group_on_sip_msn_and_sms(tmp_path: Path) -> None:
    async with village(tmp_path) as place, place.device("alice") as alice, place.device("carol") as carol:
        await place.bob_signs_in()
        phone = place.mobile.handset(PHONE)
        group = await convene(alice, [CAROL, BOB, f"tel:{PHONE}"], "Friday dinner")
        assert group.focus.startswith("sip:grp-")
        theirs = await joined(carol)
        assert theirs.focus == group.focus
        assert (await phone.wait_text(0)).text.startswith('Alice has put you into the group "Friday dinner"')
        assert await group.follow() == 200
        for who in (ALICE, CAROL, BOB, f"tel:{PHONE}"):
            await until(place, group, who, "connected")
        assert group.info is not None
        assert (group.info.subject, group.info.user_count) == ("Friday dinner", 4)

        message_id, status = await group.chat.send("Who is coming?")
        assert status == 200
        assert await heard(carol, "Who is coming?") == ALICE
        assert await place.bob.text() == "Who is coming?"
        assert (await phone.wait_text(1)).text == "Who is coming?"
        assert (await alice.journal.wait("imdn", lambda e: e.facts["message_id"] == message_id)).what == "delivered"

        place.bob.chat.send("I am")
        assert await heard(alice, "I am") == await heard(carol, "I am") == BOB
        assert (await phone.wait_text(2)).text == "Bob: I am"

        phone.reply("Me too, a bit late")
        assert await heard(alice, "Me too, a bit late") == f"tel:{PHONE}"
        assert await place.bob.text(f"{PHONE}: Me too, a bit late")

        await theirs.chat.send("Good")
        assert await heard(alice, "Good") == CAROL
        assert await place.bob.text("Carol: Good")
        assert (await phone.wait_text(3)).text == "Carol: Good"
        assert len(place.mobile.handset(PHONE).texts) == 4, "nothing came back to who said it, and nothing twice"


async def test_adding_removing_and_leaving(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device("alice") as alice, place.device("carol") as carol:
        await place.bob_signs_in()
        place.mobile.handset(PHONE)
        group = await convene(alice, [BOB], "Dinner")
        assert await group.follow() == 200
        assert await group.add(CAROL, inside=True) == 202
        theirs = await joined(carol)
        assert await theirs.follow() == 200
        await until(place, group, CAROL, "connected")
        assert await theirs.remove(BOB) == 403, "only who leads the group removes others"
        assert await group.remove(BOB) == 202
        await until(place, theirs, BOB, "disconnected booted")
        await place.until(lambda: not place.bob.chat.peers)
        assert await group.add(f"tel:{PHONE}", BOB) == 202
        await until(place, theirs, BOB, "connected")
        await until(place, theirs, f"tel:{PHONE}", "connected")
        assert await theirs.leave() == 200
        await until(place, group, CAROL, "disconnected departed")
        await place.until(lambda: theirs.ended)
        with pytest.raises(Refused) as refused:
            await rejoin(carol, group.focus, group.contribution_id)
        assert refused.value.status == 403
        assert await group.unfollow() == 200
        await place.until(lambda: group.ended)


async def test_a_broken_connection_and_a_restart_lose_nothing(tmp_path: Path) -> None:
    async with (
        village(tmp_path, web=OFF, sip={"msrp_idle": 300}) as place,
        place.device("alice") as alice,
        place.device("carol") as carol,
    ):
        group = await convene(alice, [CAROL])
        theirs = await joined(carol)
        assert await group.follow() == 200
        carol.auto_answer = False
        assert await theirs.drop() == 200
        assert await carol.register(0) == 200
        await until(place, group, CAROL, "disconnected")
        for number in range(3):
            assert (await group.chat.send(f"Said {number}"))[1] == 200
        async with place.absent("carol", instance=carol.instance) as back:
            assert await back.register() == 200
            for number in range(3):
                await heard(back, f"Said {number}")
            assert [e.what for e in back.journal.find("message")] == ["Said 0", "Said 1", "Said 2"]
            again = await joined(back)
            assert again.focus == theirs.focus
            await until(place, group, CAROL, "connected")


async def test_after_idleness_a_text_wakes_the_group(tmp_path: Path) -> None:
    """The sessions end by themselves when nobody speaks; the group stays, and whoever speaks next finds all there."""
    async with (
        village(tmp_path, web=OFF, sip={"msrp_idle": 0.4}) as place,
        place.device("alice") as alice,
        place.device("carol") as carol,
    ):
        group = await convene(alice, [CAROL])
        await joined(carol)
        await alice.journal.wait("closed")
        await carol.journal.wait("closed")
        members = place.app.messaging.groups.of("alice")[0].members
        assert {member.state.value for member in members} == {"away"}
        assert (await alice.message(group.focus, "Anybody there?")).status == 202
        assert await heard(carol, "Anybody there?") == ALICE
        theirs = await joined(carol)
        await theirs.chat.send("Here I am")
        assert await heard(alice, "Here I am") == CAROL


async def test_the_same_group_restarted_is_the_same(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device("alice") as alice, place.device("carol") as carol:
        group = await convene(alice, [CAROL])
        await joined(carol)
        alice.chats.clear()
        again = await convene(alice, [CAROL], contribution_id=group.contribution_id)
        assert again.focus == group.focus
        back = await rejoin(alice, group.focus, group.contribution_id)
        assert (await back.chat.send("Here again"))[1] == 200
        assert await heard(carol, "Here again") == ALICE
        assert len(place.app.messaging.groups.book.of("alice")) == 1


async def test_a_pager_message_to_the_group(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device("alice") as alice, place.device("carol") as carol:
        group = await convene(alice, [CAROL])
        await joined(carol)
        assert (await carol.message(group.focus, "By pager")).status == 202
        assert await heard(alice, "By pager") == CAROL


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda d, g: d.agent.request("SUBSCRIBE", g, [*head(d, "SUBSCRIBE", g), ("Event", "dialog")]), 489),
        (
            lambda d, g: d.agent.request("SUBSCRIBE", ALICE, [*head(d, "SUBSCRIBE", ALICE), ("Event", "conference")]),
            404,
        ),
        (
            lambda d, g: d.agent.request(
                "SUBSCRIBE", g, [*head(d, "SUBSCRIBE", g), ("Event", "conference"), ("Expires", "5")]
            ),
            423,
        ),
        (lambda d, g: d.agent.request("REFER", g, head(d, "REFER", g)), 400),
        (lambda d, g: d.agent.request("REFER", g, [*head(d, "REFER", g), ("Refer-To", "<cid:x@y>")]), 400),
        (
            lambda d, g: d.agent.request(
                "REFER", g, [*head(d, "REFER", g), ("Refer-To", "<sip:carol@cpm.test;method=MESSAGE>")]
            ),
            400,
        ),
        (
            lambda d, g: d.agent.request(
                "REFER",
                "sip:grp-none@conf.cpm.test",
                [*head(d, "REFER", "sip:grp-none@conf.cpm.test"), ("Refer-To", f"<{CAROL}>")],
            ),
            404,
        ),
    ],
)
async def test_what_cannot_be(tmp_path: Path, make: Callable[[LabDevice, str], Any], status: int) -> None:
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        group = await convene(alice, [])
        _, response = await make(alice, group.focus)
        assert response.status == status


async def test_somebody_who_is_not_in_it(tmp_path: Path) -> None:
    async with (
        village(tmp_path, web=OFF, signed_in=False) as place,
        place.device("alice") as alice,
        place.device("carol") as carol,
    ):
        group = await convene(alice, [])
        for method, more in (("SUBSCRIBE", ("Event", "conference")), ("REFER", ("Refer-To", f"<{CAROL}>"))):
            _, response = await carol.agent.request(method, group.focus, [*head(carol, method, group.focus), more])
            assert response.status == 403
            assert "127 Service not authorised" in response.get("warning")
        assert (await carol.message(group.focus, "Let me in")).status == 404


def head(device: LabDevice, method: str, target: str) -> list[tuple[str, str]]:
    return [*device.out_of_dialog(method, target, "session.group"), ("Contact", f"<{device.agent.contact}>")]


async def test_the_factory_reads_its_list(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        with pytest.raises(Refused) as refused:
            await convene(alice, [f"tel:+1202555{n:04d}" for n in range(150)])
        assert refused.value.status == 403
        with pytest.raises(Refused) as refused:
            await convene(alice, ["xyz:nobody"])
        assert refused.value.status == 416
        assert FACTORY not in {m.name for g in place.app.messaging.groups.book.of("alice") for m in g.members}


async def test_groups_go_on_after_a_restart(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        phone = place.mobile.handset(PHONE)
        group = await convene(alice, [f"tel:{PHONE}"])
        await phone.wait_text(0)
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        phone = place.mobile.handset(PHONE)
        back = await rejoin(alice, group.focus, group.contribution_id)
        assert (await back.chat.send("After the restart"))[1] == 200
        assert (await phone.wait_text(0)).text == "After the restart"
        phone.reply("Still here")
        assert await heard(alice, "Still here") == f"tel:{PHONE}"
