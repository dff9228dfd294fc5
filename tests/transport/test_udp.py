import asyncio
import socket

from opencpm.transport.udp import bind_udp


async def test_datagrams_come_in_batches_with_one_flow_for_each_peer():
    got: asyncio.Queue = asyncio.Queue()
    listener = bind_udp("127.0.0.1", 0, got.put_nowait)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
        for n in range(3):
            one.sendto(b"one %d" % n, listener.address)
        two.sendto(b"two 0", listener.address)
        one.sendto(b"\r\n\r\n", listener.address)  # a keep-alive: dropped
        batch = list(await got.get())
        while len(batch) < 4:
            batch += await got.get()
        assert [data for _, data in batch] == [b"one 0", b"one 1", b"one 2", b"two 0"]
        flows = [flow for flow, _ in batch]
        assert flows[0] is flows[2]
        assert flows[0] is not flows[3]
        assert (flows[0].peer, flows[0].reliable, flows[0].kind) == (one.getsockname(), False, "UDP")
        assert flows[0].key != flows[3].key
        one.settimeout(5)
        flows[0].send(b"back")
        assert one.recv(100) == b"back"
    listener.close()
    flows[0].send(b"after closing: nothing happens")
    assert not flows[0].open


async def test_a_flow_to_a_peer_is_found_again():
    listener = bind_udp("127.0.0.1", 0, lambda batch: None)
    flow = listener.flow_to(("127.0.0.1", 9))
    assert listener.flow_to(("127.0.0.1", 9)) is flow
    flow.send(b"x" * 70_000)  # too long for a datagram: lost, not raised
    listener.close()


async def test_a_full_send_buffer_keeps_the_order():
    listener = bind_udp("127.0.0.1", 0, lambda batch: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        flow = listener.flow_to(peer.getsockname())

        class Full:
            def sendto(self, data, address):
                raise BlockingIOError

            def __getattr__(self, name):
                return getattr(real, name)

        real = listener._sock
        listener._sock = Full()
        flow.send(b"1")
        listener._sock = real
        flow.send(b"2")  # waits behind the first although the buffer has room again
        flow.send(b"3")
        received = await asyncio.get_running_loop().run_in_executor(None, lambda: [peer.recv(9) for _ in range(3)])
        assert received == [b"1", b"2", b"3"]
    listener.close()
