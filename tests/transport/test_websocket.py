"""The server's machine against the client half of the websockets library, and the handshake that JsSIP sends."""

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from opencpm.transport.flow import Limits
from opencpm.transport.websocket import WebSocketMachine

JSSIP = (
    b"GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YAKzSRAPE4HPpPgbfyfgVQ==\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    b"Sec-WebSocket-Protocol: sip\r\nHost: 127.0.0.1:8088\r\n\r\n"
)


def pair(limits=Limits()):  # noqa: B008
    server, client = WebSocketMachine(0.0, limits), ClientProtocol(parse_uri("ws://h/"), subprotocols=["sip"])
    client.send_request(client.connect())
    server.receive(b"".join(client.data_to_send()), 0.0)
    client.receive_data(server.take())
    client.events_received()
    return server, client


def drain(client):
    return b"".join(client.data_to_send())


def test_the_handshake_of_jssip():
    machine = WebSocketMachine(0.0)
    assert machine.receive(JSSIP, 0.0) == []
    answer = machine.take()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Protocol: sip\r\n" in answer
    assert b"Sec-WebSocket-Accept: b0Gd0hxlEtJfbRROL6twH/cilbo=\r\n" in answer
    assert b"permessage-deflate" not in answer


@pytest.mark.parametrize(
    "change",
    [
        (b"Sec-WebSocket-Protocol: sip\r\n", b""),
        (b"Protocol: sip", b"Protocol: xmpp"),
        (b"Upgrade: websocket\r\n", b""),
    ],
)
def test_what_is_no_sip_handshake_is_refused_and_closed(change):
    machine = WebSocketMachine(0.0)
    machine.receive(JSSIP.replace(*change), 0.0)
    assert machine.take().startswith(b"HTTP/1.1 4")
    assert machine.closing()


@pytest.mark.parametrize("request_", [JSSIP, JSSIP.replace(b"Upgrade: websocket\r\n", b"")])
def test_nonsense_together_with_the_handshake_ends_it(request_):
    machine = WebSocketMachine(0.0)
    assert machine.receive(request_ + b"\xff" * 50, 0.0) == []
    machine.take()
    assert machine.closing()


def test_garbage_instead_of_a_handshake():
    machine = WebSocketMachine(0.0)
    machine.receive(b"REGISTER sip:cpm.test SIP/2.0\r\n\r\n", 0.0)
    machine.take()
    assert machine.closing()


def test_messages_both_ways_fragments_and_keep_alives():
    server, client = pair()
    client.send_text(b"whole")
    client.send_binary(b"frag", fin=False)
    client.send_continuation(b"ments", fin=True)
    client.send_text(b"\r\n\r\n")
    assert server.receive(drain(client), 1.0) == [b"whole", b"fragments"]
    server.send(b"text")
    server.send(b"\xff")
    client.receive_data(server.take())
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    assert [(f.opcode, bytes(f.data)) for f in frames] == [(Opcode.TEXT, b"text"), (Opcode.BINARY, b"\xff")]


def test_pings_are_answered_and_a_close_is_echoed():
    server, client = pair()
    client.send_ping(b"p")
    server.receive(drain(client), 1.0)
    client.receive_data(server.take())
    assert client.events_received()[0].opcode is Opcode.PONG
    client.send_close(1000)
    server.receive(drain(client), 1.0)
    client.receive_data(server.take())
    assert server.closing()
    server.send(b"too late")
    assert server.take() == b""


def test_too_large_a_message_ends_the_connection():
    for fragments in (False, True):
        server, client = pair(Limits(message=100))
        if fragments:
            client.send_text(b"x" * 60, fin=False)
            client.send_continuation(b"x" * 60, fin=True)
        else:
            client.send_text(b"x" * 101)
        assert server.receive(drain(client), 1.0) == []
        client.receive_data(server.take())
        assert client.close_rcvd.code == 1009


def test_a_handshake_has_its_time_and_silence_too():
    machine = WebSocketMachine(0.0, Limits(handshake=5))
    machine.receive(JSSIP[:20], 4.0)
    assert machine.next_timeout() == 5
    machine.poll(5.0)
    assert machine.closing()
    server, client = pair(Limits(idle=100))
    client.send_ping(b"")
    server.receive(drain(client), 50.0)
    assert server.next_timeout() == 150
