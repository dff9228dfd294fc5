"""The driver, with a machine that echoes lines, says "tick" when it is due and gives up on b"bad"."""

import asyncio
from collections.abc import Sequence

from opencpm.transport.link import Link, address_of, dial, listen


class Lines:
    def __init__(self, due: float | None = None) -> None:
        self.out: list[bytes] = []
        self.due = due
        self.done = False
        self.polled = 0

    def receive(self, data: bytes, now: float) -> Sequence[bytes]:
        if data == b"bad":
            self.out.append(b"sorry")
            raise ValueError("bad line")
        if data == b"quit":
            self.done = True
        self.out.append(data)
        return [data]

    def poll(self, now: float) -> Sequence[bytes]:
        assert self.due is not None
        assert now >= self.due
        self.due = None
        self.polled += 1
        self.out.append(b"tick")
        return []

    def next_timeout(self) -> float | None:
        return self.due

    def take(self) -> bytes:
        joined = b"".join(self.out)
        self.out.clear()
        return joined

    def closing(self) -> bool:
        return self.done


async def echo_server(**events) -> tuple[asyncio.Server, list[Link]]:
    links: list[Link] = []
    server = await listen(
        lambda: Link(Lines(), on_events=lambda *_: None, on_ready=links.append, **events), "127.0.0.1", 0
    )
    return server, links


async def test_bytes_go_in_and_events_and_bytes_come_out():
    server, links = await echo_server()
    got: asyncio.Queue = asyncio.Queue()
    machine = Lines()
    link = await dial(machine, *address_of(server), on_events=lambda _, events: got.put_nowait(events))
    machine.out.append(b"hello")
    link.wake()
    link.wake()
    assert await got.get() == [b"hello"]
    assert links[0].peer == link.local
    assert link.open
    link.close()
    server.close()


async def test_deadline_is_polled_once():
    server, _ = await echo_server()
    got: asyncio.Queue = asyncio.Queue()
    machine = Lines(due=asyncio.get_running_loop().time() + 0.01)
    link = await dial(machine, *address_of(server), on_events=lambda _, events: got.put_nowait(events))
    assert await got.get() == [b"tick"]
    assert machine.polled == 1
    link.close()
    server.close()


async def test_an_earlier_deadline_moves_the_timer():
    server, _ = await echo_server()
    got: asyncio.Queue = asyncio.Queue()
    loop = asyncio.get_running_loop()
    machine = Lines(due=loop.time() + 3600)
    link = await dial(machine, *address_of(server), on_events=lambda _, events: got.put_nowait(events))
    machine.due = loop.time()
    link.wake()
    assert await got.get() == [b"tick"]
    link.close()
    server.close()


async def test_broken_protocol_sends_the_last_word_and_closes():
    lost: asyncio.Future = asyncio.get_running_loop().create_future()
    server, _ = await echo_server(on_lost=lambda _, error: lost.set_result(error))
    reader, writer = await asyncio.open_connection(*address_of(server))
    writer.write(b"bad")
    assert await reader.read() == b"sorry"
    assert isinstance(await lost, ValueError)
    writer.close()
    server.close()


async def test_machine_that_is_done_closes_after_its_last_bytes():
    server, _ = await echo_server()
    reader, writer = await asyncio.open_connection(*address_of(server))
    writer.write(b"quit")
    assert await reader.read() == b"quit"
    writer.close()
    server.close()


async def test_loss_is_told_once_and_a_lost_link_is_not_open():
    server, links = await echo_server()
    lost: asyncio.Queue = asyncio.Queue()
    link = await dial(
        Lines(),
        *address_of(server),
        on_events=lambda *_: None,
        on_lost=lambda which, error: lost.put_nowait((which, error)),
    )
    while not links:
        await asyncio.sleep(0)
    links[0].abort()
    which, _ = await lost.get()
    assert which is link
    assert not link.open
    link.wake()
    link.close()
    server.close()
