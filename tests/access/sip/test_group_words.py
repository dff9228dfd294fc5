"""Groups as SIP writes them."""

import pytest

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.group_words import conference_info, invitation_body, invited, is_closed, referral
from opencpm.domain.address import Address
from opencpm.domain.group import Group, Member, MemberState, Role
from opencpm.protocols import mime, resource_lists
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.response import Refusal

HOME = Home("cpm.test", frozenset({"cpm.test", "192.0.2.1"}))
ALICE, BOB = Address("sip", "alice@cpm.test"), Address("im", "bob@msn.test")
PHONE = Address("tel", "+12025550102")


def member(address: Address, state: MemberState, **more: object) -> Member:
    return Member(address=address, name=address.value[:5], state=state, **more)  # type: ignore[arg-type]


GROUP = Group(
    id="7f31",
    focus=Address("sip", "grp-7f31@conf.cpm.test"),
    subject="Dinner",
    members=(
        member(ALICE, MemberState.CONNECTED, role=Role.CHAIR),
        member(BOB, MemberState.PENDING),
        member(PHONE, MemberState.FAILED),
        member(Address("sip", "eve@cpm.test"), MemberState.BOOTED, role=Role.CHAIR),
    ),
    conversation_id="c",
    contribution_id="k",
    created_at=1.0,
    version=9,
)


def refer(to: str, content_type: str = "", body: bytes = b"") -> Message:
    return Message("REFER", "sip:x", 0, "", {"refer-to": [to], "content-type": [content_type]}, body)


def listed(*uris: str) -> bytes:
    return resource_lists.build([resource_lists.Entry(uri) for uri in uris])


@pytest.mark.parametrize(
    ("to", "whom", "removing"),
    [
        ("<sip:carol@192.0.2.1>", (Address("sip", "carol@cpm.test"),), False),
        ("<sip:carol@cpm.test;method=INVITE>", (Address("sip", "carol@cpm.test"),), False),
        ("<sip:bob%40msn.test@cpm.test;method=BYE>", (BOB,), True),
        ("<tel:+12025550102>", (PHONE,), False),
        ("<tel:+12025550102;method=BYE>", (PHONE,), True),
        ("sip:carol@cpm.test", (Address("sip", "carol@cpm.test"),), False),
        ("<sip:carol@cpm.test?Session-Replaces=x>", (Address("sip", "carol@cpm.test"),), False),
    ],
)
def test_a_referral(to: str, whom: tuple[Address, ...], removing: bool) -> None:
    assert referral(refer(to), HOME, 10) == (whom, removing)


def test_a_referral_of_several() -> None:
    found = referral(
        refer("<cid:a@b>", resource_lists.CONTENT_TYPE, listed("sip:a@cpm.test", "tel:+12025550102")), HOME, 10
    )
    assert found.whom == (Address("sip", "a@cpm.test"), PHONE)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (refer("<cid:a@b>"), 400),
        (refer("<sip:a@cpm.test;method=MESSAGE>"), 400),
        (Message("REFER", "sip:x", 0, "", {}, b""), 400),
        (refer("<cid:a@b>", resource_lists.CONTENT_TYPE, b"<a/>"), 400),
        (refer("<cid:a@b>", resource_lists.CONTENT_TYPE, listed(*[f"sip:{n}@x" for n in range(50)])), 413),
        (refer("<cid:a@b>", "multipart/mixed", b""), 400),
    ],
)
def test_what_is_no_referral(message: Message, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        referral(message, HOME, 10)
    assert refused.value.status == status


def test_the_list_beside_the_description() -> None:
    content_type, body = invitation_body(b"v=0\r\n", GROUP, HOME, "b1")
    parts = mime.split_multipart(content_type, body)
    assert [mime.media_type(p.content_type) for p in parts] == ["application/sdp", resource_lists.CONTENT_TYPE]
    assert parts[1].get("content-disposition") == "recipient-list-history"
    assert [e.uri for e in resource_lists.parse(parts[1].body).entries] == [
        "sip:alice@cpm.test",
        "sip:bob%40msn.test@cpm.test",
    ]
    message = Message("INVITE", "sip:x", 0, "", {"content-type": [content_type]}, body)
    assert invited(message, HOME, 10) == (ALICE, BOB)


def test_who_is_in_it() -> None:
    info = conference_info(GROUP, HOME, 100)
    assert (info.entity, info.version, info.user_count) == ("sip:grp-7f31@conf.cpm.test", 9, 2)
    assert [(u.entity, u.status, u.method, u.roles) for u in info.users] == [
        ("sip:alice@cpm.test", "connected", "", ("chair",)),
        ("sip:bob%40msn.test@cpm.test", "pending", "", ()),
        ("tel:+12025550102", "disconnected", "failed", ()),
        ("sip:eve@cpm.test", "disconnected", "booted", ()),
    ]
    assert "404" in info.users[2].reason


def test_a_closed_group_by_its_token() -> None:
    assert is_closed(b"a=x:org.3gpp.urn%3Aurn-7%3A3gpp-application.ims.iari.rcs.closedgroupchat\r\n")
    assert not is_closed(b"v=0")
