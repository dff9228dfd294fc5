"""What an agent asks trunks outside calls: whether they are there, and to register an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opencpm.protocols.sip.headers import MAGIC_COOKIE
from opencpm.protocols.sip.message import Message, encode_request
from opencpm.protocols.sip.transaction import TransactionLayer

from .events import Credentials, Event, Pinged, Registered
from .registration import Fields, Registration


class _Ping:
    def __init__(self, context: Any) -> None:
        self.context = context


class Errands:
    """Sends through the agent's transaction layer; the agent hands back what is answered."""

    def __init__(
        self, layer: TransactionLayer, local: tuple[str, int], new_token: Callable[[], str], name: str
    ) -> None:
        self._layer, self._token, self._name = layer, new_token, name
        self._host, self._port = local

    def ping(self, flow: Any, host: str, context: Any, now: float) -> None:
        """Ask whether a trunk is there; ends with :class:`Pinged`."""
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self._host}>;tag={self._token()}"),
            ("To", f"<sip:{host}>"),
            ("Call-ID", self._token()),
            ("CSeq", "1 OPTIONS"),
        ]
        self._send(flow, "OPTIONS", f"sip:{host}", fields, _Ping(context), now)

    def account(self, flow: Any, host: str, credentials: Credentials, expires: int, context: Any) -> Registration:
        """An account at a trunk; ``register`` it now and before it expires."""
        contact = f"<sip:{credentials.user}@{self._host}:{self._port}>"
        call_id = f"{self._token()}@{self._host}"
        return Registration(context, flow, host, credentials, call_id, self._token(), contact, expires)

    def register(self, account: Registration, now: float) -> None:
        """Ends with :class:`Registered`."""
        account.challenged = False
        self._register(account, [], now)

    def answered(self, errand: Any, response: Message | None, now: float) -> list[Event]:
        """A response, or none in time."""
        if response is not None and response.status < 200:
            return []
        if isinstance(errand, _Ping):
            return [Pinged(errand.context, response.status if response is not None else 0)]
        if isinstance(errand, Registration):
            return self._registered(errand, response, now)
        return []

    def _registered(self, account: Registration, response: Message | None, now: float) -> list[Event]:
        if response is None:
            return [Registered(account.context, 0, 0)]
        proof = account.proof(response, self._token())
        if proof:
            self._register(account, proof, now)
            return []
        granted = account.granted(response) if response.status == 200 else 0
        return [Registered(account.context, response.status, granted)]

    def _register(self, account: Registration, proof: Fields, now: float) -> None:
        fields = [*account.fields(proof), ("User-Agent", self._name)]
        self._send(account.flow, "REGISTER", account.uri, fields, account, now)

    def _send(self, flow: Any, method: str, uri: str, fields: Fields, errand: object, now: float) -> None:
        branch = f"{MAGIC_COOKIE}{self._token()}"
        via = ("Via", f"SIP/2.0/UDP {self._host}:{self._port};branch={branch};rport")
        self._layer.request(flow, False, method, branch, encode_request(method, uri, [via, *fields]), errand, now)
