"""What is refused before a message comes of it leaves a line in the trail of whoever asked."""

from __future__ import annotations

from .rig import DOMAIN, running


async def test_a_wrong_password_is_told_with_the_claimed_name():
    async with running() as rig:
        alice = await rig.device("alice")
        await alice.register(password="guess")
        assert [(who, reason) for who, reason, _ in rig.inbox.away] == [("sip:alice@cpm.test", "authentication")]
        assert "guess" not in rig.inbox.away[0][2]


async def test_a_malformed_body_is_told():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        answer = await alice.ask(
            "MESSAGE",
            f"sip:bob@{DOMAIN}",
            ("Content-Type", "message/cpim"),
            to=f"sip:bob@{DOMAIN}",
            body=b"no colon here\r\n",
        )
        assert answer.status == 400
        assert [reason for _, reason, _ in rig.inbox.away] == ["malformed"]
