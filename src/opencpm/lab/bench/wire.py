"""A SIP device reduced to what load needs: one blocking socket, precomputed octets, no parser."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterator

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import Auth, parse_auth
from opencpm.protocols.sip.message import Message, parse

MAX_DATAGRAM = 65535
BUFFER = 8 << 20
PATIENCE = 10.0

_LENGTH = re.compile(rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)\r\n", re.I)


class LoadError(RuntimeError):
    """The server did not do what load expects of it."""


class LoadDevice:
    """One registered device. ``receive`` gives whole messages, never blocks."""

    def __init__(self, user: str, domain: str, password: str, server: tuple[str, int], transport: str) -> None:
        self.user, self.domain, self.transport = user, domain, transport
        self._password = password
        kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        if transport == "UDP":
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self.socket.setsockopt(socket.SOL_SOCKET, option, BUFFER)
            self.socket.bind(("127.0.0.1", 0))
        self.socket.connect(server)
        if transport == "TCP":
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = self.socket.getsockname()
        self.local = f"{host}:{port}"
        self._buffer = b""

    def close(self) -> None:
        self.socket.close()

    # -- registration ----------------------------------------------------------------------------------------

    def register(self) -> None:
        """REGISTER with digest. :raises LoadError: refused. :raises OSError: no answer."""
        self.socket.settimeout(PATIENCE)
        challenge = self._register(1, "")
        if challenge.status != 401:
            raise LoadError(f"REGISTER got {challenge.status}, not a challenge")
        auth = next(a for a in map(parse_auth, challenge.fields("www-authenticate")) if digest.algorithm_of(a))
        answer = self._register(2, f"Authorization: {self._answer(auth)}\r\n")
        if answer.status != 200:
            raise LoadError(f"REGISTER got {answer.status}")
        self.socket.setblocking(False)

    def _register(self, number: int, authorization: str) -> Message:
        uri = f"sip:{self.user}@{self.domain}"
        contact = f"<sip:{self.user}@{self.local};transport={self.transport.lower()}>"
        services = "%3A".join(("urn", "urn-7", "3gpp-service.ims.icsi.oma.cpm.msg"))
        self.socket.sendall(
            (
                f"REGISTER sip:{self.domain} SIP/2.0\r\n"
                f"Via: SIP/2.0/{self.transport} {self.local};branch=z9hG4bK{secrets.token_hex(6)};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <{uri}>;tag=load\r\nTo: <{uri}>\r\nCall-ID: register-{self.local}\r\n"
                f"CSeq: {number} REGISTER\r\n"
                f'Contact: {contact};+g.3gpp.icsi-ref="{services}";expires=3600\r\n'
                f"{authorization}Content-Length: 0\r\n\r\n"
            ).encode()
        )
        for data in self._blocking():
            message = parse(data)
            if message.status >= 200:
                return message
        raise LoadError("the server closed the connection")

    def _blocking(self) -> Iterator[bytes]:
        while data := self.socket.recv(MAX_DATAGRAM):
            yield from self._cut(data)

    def _answer(self, challenge: Auth) -> str:
        algorithm, realm = digest.algorithm_of(challenge), challenge.get("realm")
        values = {"nonce": challenge.get("nonce"), "uri": f"sip:{self.domain}", "realm": realm}
        values |= {"qop": "auth", "nc": "00000001", "cnonce": secrets.token_hex(8)}
        ha1 = digest.ha1(self.user, realm, self._password, algorithm)
        response = digest.answer(ha1, Auth("digest", values), "REGISTER", algorithm)
        return (
            f'Digest username="{self.user}", realm="{realm}", nonce="{values["nonce"]}", uri="{values["uri"]}", '
            f'response="{response}", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{values["cnonce"]}"'
        )

    # -- load ------------------------------------------------------------------------------------------------

    def receive(self) -> list[bytes]:
        """The whole messages that are there now."""
        found: list[bytes] = []
        for _ in range(256):
            try:
                data = self.socket.recv(MAX_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                break
            if not data:
                raise LoadError("the server closed the connection")
            found += self._cut(data)
        return found

    def send(self, data: bytes) -> None:
        """Send all of it, waiting where the socket is full."""
        view = memoryview(data)
        while view:
            try:
                view = view[self.socket.send(view) :]
            except (BlockingIOError, InterruptedError):
                self.socket.setblocking(True)
                self.socket.sendall(view)
                self.socket.setblocking(False)
                return

    def _cut(self, data: bytes) -> list[bytes]:
        if self.transport == "UDP":
            return [data]
        buffer = self._buffer + data
        found = []
        start = 0
        while (head := buffer.find(b"\r\n\r\n", start)) >= 0:
            length = _LENGTH.search(buffer, start, head + 2)
            end = head + 4 + (int(length[1]) if length else 0)
            if end > len(buffer):
                break
            found.append(buffer[start:end])
            start = end
        self._buffer = buffer[start:]
        return found


_ECHOED = re.compile(rb"\r\n((?:Via|From|Call-ID|CSeq): [^\r]*)")
_TO = re.compile(rb"\r\n(To: [^\r]*)")


def ok(request: bytes) -> bytes:
    """200 to a request, by its text."""
    head = request[: request.find(b"\r\n\r\n")]
    to = _TO.search(head)
    if to is None:
        raise LoadError("a request without To")
    lines = b"\r\n".join(_ECHOED.findall(head))
    return b"SIP/2.0 200 OK\r\n%b\r\n%b;tag=load\r\nContent-Length: 0\r\n\r\n" % (lines, to[1])
