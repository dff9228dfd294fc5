"""Services that break the protocol: the account says so and tries again, the connector lives."""

import asyncio

import pytest

from opencpm.lab.msn import LabMsn
from tests.interworking.msn.stage import ALICE, Stage, until


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\r\n",
        b"VER 1 0\r\n",
        b"VER 1 MSNP99\r\n",
        b"MSG a b 99999999\r\n",
        b"X" * 20000,
        b"OUT SSD\r\n",
        b"XFR 1 NS nowhere\r\n",
        b"VER 1 MSNP12\r\nCVR 2\r\nUSR 3 TWN S \x00\x01\r\n",
        b"",
    ],
)
async def test_the_notification_server_is_none(lab: LabMsn, said: bytes) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(said)
        await writer.drain()
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Stage(lab, server=f"127.0.0.1:{port}") as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await stage.inbox.wait("health", lambda health: health.detail.startswith("0 of 1") and ": " in health.detail)
        await until(lambda: connections >= 1)
        assert stage.connector.describe()["accounts"][0]["state"] in ("waiting to sign in again", "signing in")
    server.close()


@pytest.mark.parametrize("said", [b"\x00\x00\r\n", b"911 1\r\n", b"MSG bob x 9999999\r\n", b""])
async def test_the_switchboard_is_none(stage: Stage, said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    world = stage.lab._world
    right, world.switchboard = world.switchboard, server.sockets[0].getsockname()[:2]
    (delivery,) = stage.send("hello")
    assert (await stage.outcome(delivery)).error is not None
    world.switchboard = right
    (delivery,) = stage.send("hello")
    assert (await stage.outcome(delivery)).error is None
    server.close()
