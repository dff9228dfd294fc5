"""Bad requests about groups at the running server: SIP's own error, no group of them, and the next good one works."""

from __future__ import annotations

import asyncio
from pathlib import Path

from opencpm.lab.device import LabDevice, convene
from opencpm.lab.device.chat import terms
from opencpm.lab.device.groups import FACTORY
from opencpm.protocols import mime, resource_lists, sdp
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sip.message import Message
from tests.hostile.house import ALICE, house

TARGET = f"sip:{FACTORY}@cpm.test"
LIST = resource_lists.CONTENT_TYPE


def description() -> bytes:
    return sdp.build(terms(MsrpUri("127.0.0.1", 9, "hostile")), session_id=1, version=1)


def multipart(listed: bytes, of: bytes | None = None) -> tuple[str, bytes]:
    parts = [mime.Part((("Content-Type", LIST), ("Content-Disposition", "recipient-list")), listed)]
    if of is not None:
        parts.insert(0, mime.Part((("Content-Type", sdp.CONTENT_TYPE),), of))
    return 'multipart/mixed;boundary="b1"', mime.build_multipart(parts, "b1")


def entries(*uris: str) -> bytes:
    return resource_lists.build([resource_lists.Entry(uri) for uri in uris])


NESTED = b"<resource-lists>" + b"<list>" * 200 + b"</list>" * 200 + b"</resource-lists>"
BOMB = b'<!DOCTYPE a [<!ENTITY b "cccccccccc">]><resource-lists><list><entry uri="&b;"/></list></resource-lists>'

INVITES: list[tuple[str, tuple[str, bytes], int]] = [
    ("no description", multipart(entries("sip:bob@cpm.test")), 488),
    ("nothing at all", ("", b""), 488),
    ("no list's end", ('multipart/mixed;boundary="b1"', b"--b1\r\nContent-Type: application/sdp\r\n\r\nv=0"), 488),
    ("no boundary", ("multipart/mixed", b"x"), 400),
    ("a list of something else", multipart(b"<other/>", description()), 400),
    ("no XML", multipart(b"\x00\xff", description()), 400),
    ("entities", multipart(BOMB, description()), 400),
    ("nested", multipart(NESTED, description()), 413),
    ("more than are allowed", multipart(entries(*[f"sip:p{n}@cpm.test" for n in range(900)]), description()), 413),
    ("no address", multipart(entries("sip:"), description()), 400),
    ("another scheme", multipart(entries("http://x.test/"), description()), 416),
]


async def invited(device: LabDevice, target: str, content: tuple[str, bytes]) -> Message:
    fields = [
        *device.out_of_dialog("INVITE", target, "session.group"),
        ("Contact", f"<{device.agent.contact}>"),
        ("Content-Type", content[0]),
    ]
    _, response = await device.agent.request("INVITE", target, fields, content[1])
    return response


async def test_the_factory_makes_nothing_of_nonsense(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device(ALICE) as alice:
        for what, content, status in INVITES:
            assert (await invited(alice, TARGET, content)).status == status, what
        assert here.app.messaging.groups.of("alice") == []
        group = await convene(alice, [])
        assert (await group.chat.send("Nobody here"))[1] == 200


async def test_whose_group_it_is_not(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device(ALICE) as alice:
        for user in ("", "x" * 400, "1%00"):
            target = f"sip:grp-{user}@conf.cpm.test"
            response = await invited(alice, target, ("application/sdp", description()))
            assert response.status in (400, 404), target
        await here.lives()


async def test_many_subscriptions_and_referrals_at_once(tmp_path: Path) -> None:
    """A device that follows again and again, refers strangers, and takes no NOTIFY."""
    number = 60
    async with house(tmp_path) as here, here.device(ALICE) as alice:
        group = await convene(alice, [])
        alice.following.clear()
        statuses = await asyncio.gather(*(_follow(alice, group.focus) for _ in range(number)))
        assert set(statuses) == {200}
        added = await asyncio.gather(*(group.add(f"sip:nobody{n}@cpm.test") for n in range(number)))
        assert set(added) == {202}
        members = here.app.messaging.groups.of("alice")[0].members
        assert len(members) == number + 1
        assert (await group.chat.send("Still here"))[1] == 200
        await here.lives()


async def _follow(device: LabDevice, focus: str) -> int:
    fields = [
        *device.out_of_dialog("SUBSCRIBE", focus, "session.group"),
        ("Contact", f"<{device.agent.contact}>"),
        ("Event", "conference"),
    ]
    _, response = await device.agent.request("SUBSCRIBE", focus, fields)
    return response.status


async def test_a_full_group_takes_nobody_more(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device(ALICE) as alice:
        group = await convene(alice, [f"tel:+1202555{n:04d}" for n in range(99)])
        assert await group.add("tel:+12025559999") == 403
        await here.lives()
