"""OPTIONS: what a user's devices can do together (CPM capability exchange), and what this server speaks."""

from __future__ import annotations

from collections.abc import Sequence

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.auth import Authenticator
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.endpoint import SUPPORTED, Endpoint, Request
from opencpm.access.sip.reasons import ACCEPT
from opencpm.access.sip.registrar import Registrar
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import feature_parameter
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.uri import parse_uri


class Capabilities:
    """Serves OPTIONS, and refuses the event methods politely."""

    def __init__(
        self,
        context: Context,
        endpoint: Endpoint,
        home: Home,
        registrar: Registrar,
        authenticator: Authenticator,
    ) -> None:
        self._context, self._endpoint, self._home = context, endpoint, home
        self._registrar, self._authenticator = registrar, authenticator

    def asked(self, requests: Sequence[Request]) -> None:
        """Handler of OPTIONS."""
        for request in requests:
            try:
                self._answer(request)
            except Refusal as refusal:
                self._endpoint.refuse(request, refusal)
            except SipError as error:
                self._endpoint.refuse(request, Refusal(error.status, str(error)))

    def no_events(self, requests: Sequence[Request]) -> None:
        """Handler of SUBSCRIBE and PUBLISH: no event package is served (RFC 6665 §4.2.1, RFC 3903 §6)."""
        for request in requests:
            self._endpoint.refuse(request, Refusal(489, "", ("Allow-Events", "")))

    def no_subscription(self, requests: Sequence[Request]) -> None:
        """Handler of NOTIFY outside a dialog (RFC 6665 §4.1.3)."""
        for request in requests:
            self._endpoint.refuse(request, Refusal(481))

    def _answer(self, request: Request) -> None:
        uri = parse_uri(request.message.uri)
        if uri.scheme != "tel" and not uri.user and self._home.serves(uri):
            self._about_us(request)
            return
        if self._authenticator.originator(request) is None:
            return
        found = self._registrar.resolve(request.message.uri)
        if found is None:
            raise Refusal(404)
        self._about_user(request, *found)

    def _about_us(self, request: Request) -> None:
        """A keep-alive, or a client that wants to know the server (RFC 3261 §11.2)."""
        fields = [
            ("Accept", ACCEPT),
            ("Accept-Encoding", "identity, deflate, gzip"),
            ("Supported", ", ".join(sorted(SUPPORTED))),
            ("Allow", self._endpoint.allow),
        ]
        self._endpoint.answer(request, 200, fields=fields)

    def _about_user(self, request: Request, subscriber: Subscriber, devices: list[Binding]) -> None:
        now = self._context.clock.now()
        there = [binding for binding in devices if binding.connected(now)]
        if not there:
            raise Refusal(480)
        uri = self._home.uri(subscriber.addresses[0])
        methods = sorted(frozenset[str]().union(*(binding.allow for binding in there)))
        fields = [
            ("P-Asserted-Identity", f"<{uri}>"),
            ("Contact", ";".join([f"<{uri}>", *merged_tags(there)])),
            ("Allow", ", ".join(methods) or self._endpoint.allow),
        ]
        self._endpoint.answer(request, 200, fields=fields)


def merged_tags(devices: Sequence[Binding]) -> list[str]:
    """The union of the devices' feature tags as Contact parameters (a fork's first 200 alone would be wrong)."""
    union: dict[str, set[str]] = {}
    for binding in devices:
        for name, values in binding.features.items():
            union.setdefault(name, set()).update(values)
    return [feature_parameter(name, sorted(values)) for name, values in sorted(union.items())]
