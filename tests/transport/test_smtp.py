"""Mail in and out on real sockets: our sender to our listener, and each with what others do."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from opencpm.transport.smtp_listener import Limits, Mail, SmtpListener, networks, within
from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, SmtpSender
from tests.transport.certificates import client_tls, make_certificate, server_tls

MAIL = b"Subject: hello\r\n\r\n.dot\r\nGr\xc3\xbc\xc3\x9fe\r\n"
FROM, TO = "447700900556/TYPE=PLMN", "+12025550100/TYPE=PLMN@mms.cpm.test"


class Receiver:
    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.reply = "250 2.0.0 taken"
        self.welcome = True
        self.hold: asyncio.Event | None = None
        self.came = asyncio.Event()

    def welcomes(self, peer: str) -> bool:
        return self.welcome

    def refuses(self, peer: str, recipient: str) -> str:
        return "" if recipient.endswith("@mms.cpm.test") else "550 5.1.2 not ours"

    async def take(self, mail: Mail) -> str:
        self.mails.append(mail)
        self.came.set()
        if self.hold is not None:
            await self.hold.wait()
        return self.reply


class Place:
    def __init__(self, receiver: Receiver, listener: SmtpListener, where: tuple[str, int]) -> None:
        self.receiver, self.listener, self.where = receiver, listener, where

    @asynccontextmanager
    async def sender(self, **more: Any) -> AsyncIterator[SmtpSender]:
        sender = SmtpSender(Host(host=self.where[0], port=self.where[1], ehlo="peer.test", **more))
        try:
            yield sender
        finally:
            await sender.close()

    async def talk(self, *lines: bytes) -> list[bytes]:
        """Say these, one after the other, and give every reply (the greeting first)."""
        reader, writer = await asyncio.open_connection(*self.where)
        replies = [await reader.readline()]
        for line in lines:
            writer.write(line)
            replies.append(await _reply(reader))
        writer.close()
        return replies


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line


@asynccontextmanager
async def place(**more: Any) -> AsyncIterator[Place]:
    receiver = Receiver()
    limits = Limits(**{key: more.pop(key) for key in list(more) if key in Limits.__slots__})
    listener = SmtpListener(receiver, "mms.cpm.test", limits, **more)
    where = await listener.start("127.0.0.1", 0)
    try:
        yield Place(receiver, listener, where)
    finally:
        await listener.close()


async def test_a_mail_arrives_as_it_is_with_the_addresses_of_mms() -> None:
    async with place() as here, here.sender() as sender:
        sent = await sender.send(FROM, TO, MAIL)
        assert sent.reply == "250 2.0.0 taken"
        (mail,) = here.receiver.mails
        assert mail[:4] == Mail("127.0.0.1", FROM, (TO,), MAIL)[:4]


async def test_wishes_for_delivery_reports_pass_where_they_are_offered() -> None:
    async with place(dsn=True) as here, here.sender() as sender:
        sent = await sender.send(FROM, TO, MAIL, notify=("SUCCESS", "FAILURE"), envid="m1.0")
        assert sent.dsn
        await sender.send(FROM, TO, MAIL)
        first, second = here.receiver.mails
        assert (first.notify, first.envid) == ((frozenset({"SUCCESS", "FAILURE"}),), "m1.0")
        assert (second.notify, second.envid) == ((frozenset(),), "")
    async with place() as here, here.sender() as sender:
        assert not (await sender.send(FROM, TO, MAIL, notify=("SUCCESS",), envid="m1.0")).dsn
        replies = await here.talk(b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", f"RCPT TO:<{TO}> NOTIFY=SUCCESS\r\n".encode())
        assert replies[-1].startswith(b"555")


async def test_a_bounce_has_no_sender() -> None:
    async with place() as here, here.sender() as sender:
        await sender.send("", TO, MAIL)
        assert here.receiver.mails[0].sender == ""


async def test_the_reply_waits_for_the_receiver() -> None:
    async with place() as here, here.sender() as sender:
        here.receiver.hold = asyncio.Event()
        sending = asyncio.create_task(sender.send(FROM, TO, MAIL))
        await here.receiver.came.wait()
        assert not sending.done()
        here.receiver.hold.set()
        await sending


async def test_connections_are_kept_and_bounded() -> None:
    async with place() as here, here.sender(connections=2) as sender:
        await asyncio.gather(*(sender.send(FROM, TO, MAIL) for _ in range(6)))
        assert len(here.receiver.mails) == 6
        assert len(here.listener._open) == 2


async def test_a_kept_connection_that_ended_is_made_anew() -> None:
    async with place() as here, here.sender() as sender:
        await sender.send(FROM, TO, MAIL)
        for connection in list(here.listener._open):
            connection.cut()
        assert (await sender.send(FROM, TO, MAIL)).reply.startswith("250")


async def test_refusals_say_who_refused_what() -> None:
    async with place() as here, here.sender() as sender:
        with pytest.raises(MailRefused) as refused:
            await sender.send(FROM, "somebody@elsewhere.test", MAIL)
        assert (refused.value.code, refused.value.stage, refused.value.retryable) == (550, "rcpt", False)
        here.receiver.reply = "451 4.3.0 later"
        with pytest.raises(MailRefused) as refused:
            await sender.send(FROM, TO, MAIL)
        assert (refused.value.code, refused.value.stage, refused.value.retryable) == (451, "data", True)
        here.receiver.reply = "250 ok"
        assert (await sender.send(FROM, TO, MAIL)).reply == "250 ok"


async def test_nobody_there() -> None:
    async with place() as here:
        where = here.where
    sender = SmtpSender(Host(host=where[0], port=where[1]))
    with pytest.raises(HostLost) as lost:
        await sender.send(FROM, TO, MAIL)
    assert not lost.value.doubtful
    with pytest.raises(HostLost):
        await sender.check()


async def test_a_connection_that_breaks_before_the_reply_leaves_doubt() -> None:
    async with place() as here, here.sender() as sender:
        here.receiver.hold = asyncio.Event()
        sending = asyncio.create_task(sender.send(FROM, TO, MAIL))
        await here.receiver.came.wait()
        for connection in list(here.listener._open):
            connection.cut()
        with pytest.raises(HostLost) as lost:
            await sending
        assert lost.value.doubtful


async def test_strangers_are_turned_away() -> None:
    async with place() as here, here.sender() as sender:
        here.receiver.welcome = False
        with pytest.raises(MailRefused) as refused:
            await sender.send(FROM, TO, MAIL)
        assert refused.value.code == 554
        assert here.listener.counters["unknown peers"] == 1


async def test_too_many_connections_are_turned_away() -> None:
    async with place(connections_of_peer=1) as here, here.sender() as first, here.sender() as second:
        await first.send(FROM, TO, MAIL)
        with pytest.raises(MailRefused) as refused:
            await second.send(FROM, TO, MAIL)
        assert refused.value.retryable


async def test_a_mail_over_the_limit_is_refused_by_its_announced_size_and_by_its_real_one() -> None:
    async with place(size=1000) as here, here.sender() as sender:
        with pytest.raises(MailRefused) as refused:
            await sender.send(FROM, TO, b"x" * 70 + b"\r\n" + b"y" * 1200)
        assert (refused.value.code, refused.value.stage) == (552, "mail")
        lines = (b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", f"RCPT TO:<{TO}>\r\n".encode(), b"DATA\r\n")
        replies = await here.talk(*lines, b"line of text\r\n" * 200 + b".\r\n")
        assert replies[-1].startswith(b"552")
        assert here.receiver.mails == []


async def test_an_endless_line_is_cut_off() -> None:
    async with place(size=1000) as here:
        reader, writer = await asyncio.open_connection(*here.where)
        for line in (b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", f"RCPT TO:<{TO}>\r\n".encode(), b"DATA\r\n"):
            writer.write(line)
            await reader.readline()
        with pytest.raises(ConnectionError):
            await _without_end(writer)
        assert here.listener.counters["endless"] == 1


async def _without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()
        await asyncio.sleep(0)


async def test_too_many_recipients_are_put_off() -> None:
    async with place(recipients=2) as here:
        to = f"RCPT TO:<{TO}>\r\n".encode()
        replies = await here.talk(b"EHLO x\r\n", b"MAIL FROM:<>\r\n", to, to, to)
        assert [reply[:3] for reply in replies[3:]] == [b"250", b"250", b"452"]


async def test_a_fault_of_ours_asks_for_another_try() -> None:
    async with place() as here, here.sender() as sender:

        async def broken(mail: Mail) -> str:
            raise RuntimeError("bug")

        here.receiver.take = broken  # type: ignore[method-assign]
        with pytest.raises(MailRefused) as refused:
            await sender.send(FROM, TO, MAIL)
        assert refused.value.code == 451


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_tls(tmp_path: Path, mode: Any) -> None:
    made = make_certificate(tmp_path)
    server, trusting = server_tls(made), client_tls(made)
    async with place(**{mode: server}) as here, here.sender(tls=mode, context=trusting) as sender:
        sent = await sender.send(FROM, TO, MAIL)
        assert sent.reply.startswith("250")
    untrusting = ssl.create_default_context()
    async with place(**{mode: server}) as here, here.sender(tls=mode, context=untrusting) as sender:
        with pytest.raises(HostLost):
            await sender.send(FROM, TO, MAIL)


async def test_the_standard_library_reaches_us() -> None:
    """smtplib is somebody else's client."""
    async with place() as here:

        def send() -> dict[str, Any]:
            with smtplib.SMTP(*here.where, local_hostname="peer.test") as client:
                return client.sendmail("system-user@mmsc.test", [TO], MAIL, mail_options=["BODY=8BITMIME"])

        assert await asyncio.to_thread(send) == {}
        assert here.receiver.mails[0].data == MAIL


def test_addresses_of_peers() -> None:
    known = networks(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
    inside: Callable[[str], bool] = lambda peer: within(peer, known)  # noqa: E731
    assert [inside(peer) for peer in ("127.0.0.1", "::ffff:10.1.2.3", "2001:db8::5")] == [True] * 3
    assert [inside(peer) for peer in ("127.0.0.2", "unix", "")] == [False] * 3
    with pytest.raises(ValueError):
        networks(["somewhere"])
