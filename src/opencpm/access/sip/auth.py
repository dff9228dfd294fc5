"""Who sends a request: digest (RFC 7616), or the flow a device registered over (RFC 5626)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.endpoint import Endpoint, Request
from opencpm.access.sip.location import Location
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.address import Address
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context
from opencpm.protocols.sip import digest
from opencpm.protocols.sip.digest import Verdict
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import Auth, addr_uri, parse_auth
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.uri import escape_user, parse_uri

_WINDOW = 60.0
_MAX_TRACKED = 10_000


@dataclass(frozen=True, slots=True)
class Originator:
    """The authenticated sender: whose account it is, and the address of theirs that they chose to be."""

    subscriber: Subscriber
    address: Address


class Authenticator:
    """Judges requests. `originator` answers by itself (401, 403) when a request is not good enough."""

    def __init__(
        self, settings: SipSettings, context: Context, endpoint: Endpoint, home: Home, location: Location, key: bytes
    ) -> None:
        self._settings, self._context = settings, context
        self._endpoint, self._home, self._location = endpoint, home, location
        self._policy = digest.Policy(
            settings.realm or settings.domain,
            key,
            settings.nonce_lifetime,
            settings.digest,
            settings.digest_without_qop,
        )
        self._counts = digest.NonceCounts()
        self._challenged: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self.on_wrong: Callable[[Request, str], None] = lambda request, username: None
        """Told of each answer to a challenge that does not fit: wrong password, or no such user."""

    def originator(self, request: Request) -> Originator | None:
        """Who sends this, or None once it has been answered."""
        try:
            subscriber = self._by_flow(request) or self.by_digest(request)
            if subscriber is None:
                return None
            if subscriber.barred:
                raise Refusal(403)
            return Originator(subscriber, self._chosen(request, subscriber))
        except Refusal as refusal:
            self._endpoint.refuse(request, refusal)
        except SipError as error:
            self._endpoint.refuse(request, Refusal(error.status, str(error)))
        return None

    def by_digest(self, request: Request) -> Subscriber | None:
        """The subscriber whose password was proved; None once a challenge has been sent. Raises Refusal 403."""
        now = self._context.clock.now()
        verdict = Verdict.CHALLENGE
        for auth in self._answers(request):
            verdict = self._verify(request, auth, now)
            if verdict is Verdict.ACCEPTED:
                self._challenged.pop((request.message.get("to"), request.flow.peer[0]), None)
                return self._owner(auth.get("username"))
            if verdict is Verdict.WRONG:
                self._count_failure(request, auth, now)
        nonce = digest.make_nonce(self._policy, now, self._endpoint.new_token())
        fields = digest.challenges(
            self._policy, nonce, stale=verdict is Verdict.STALE, only=self._only(request, verdict)
        )
        self._endpoint.answer(request, 401, fields=fields)
        return None

    def _only(self, request: Request, verdict: Verdict) -> str:
        """MD5 for clients that give up when they see another algorithm: known ones, and those that come back with
        nothing although they were challenged before. Otherwise all algorithms are offered."""
        if "MD5" not in self._settings.digest:
            return ""
        agent = request.message.get("user-agent")
        if any(part in agent for part in self._settings.md5_agents):
            return "MD5"
        key = (request.message.get("to"), request.flow.peer[0])
        unanswered = self._challenged.pop(key, 0)
        if verdict is Verdict.CHALLENGE:
            self._challenged[key] = unanswered + 1
            if len(self._challenged) > _MAX_TRACKED:
                self._challenged.popitem(last=False)
            return "MD5" if unanswered else ""
        return ""

    def _answers(self, request: Request) -> list[Auth]:
        """The digest answers meant for us; a request may carry one for each realm and algorithm."""
        message = request.message
        values = [*message.fields("authorization"), *message.fields("proxy-authorization")][:8]
        return [auth for value in values if (auth := parse_auth(value)).scheme == "digest"]

    def _verify(self, request: Request, auth: Auth, now: float) -> Verdict:
        username, algorithm = auth.get("username"), digest.algorithm_of(auth)
        secret = self._context.directory.ha1(username, self._policy.realm, algorithm) if algorithm else None
        verdict = digest.verify(self._policy, auth, request.method, secret, self._counts, now)
        if verdict is Verdict.ACCEPTED and not self._same_target(request, auth):
            return Verdict.WRONG
        return verdict

    def _same_target(self, request: Request, auth: Auth) -> bool:
        """The digest must be for this request (RFC 7616 §3.4.6). A REGISTER is bound by its method; clients vary
        its URI between the domain and the registrar's address. SIPp names the server's address in every request:
        taken where a nonce count keeps the answer from being used twice."""
        given, wanted = auth.get("uri"), request.message.uri
        if given == wanted or request.method == "REGISTER":
            return True
        try:
            one, two = parse_uri(given), parse_uri(wanted)
        except SipError:
            return False
        if not one.user and self._home.serves(one):
            return bool(auth.get("qop"))
        return (one.user, one.host) == (two.user, two.host)

    def _owner(self, username: str) -> Subscriber | None:
        """The subscriber behind a digest user name: an id, or an address of theirs."""
        directory = self._context.directory
        user = username.partition("@")[0]
        found = directory.owner_of(self._home.address(f"sip:{escape_user(user)}@{self._home.domain}"))
        found = found or directory.subscriber(user)
        if found is None:
            raise Refusal(403)
        return found

    def _count_failure(self, request: Request, auth: Auth, now: float) -> None:
        self.on_wrong(request, auth.get("username"))
        key = (auth.get("username"), request.flow.peer[0])
        count, since = self._failures.pop(key, (0, now))
        if now - since > _WINDOW:
            count, since = 0, now
        self._failures[key] = count + 1, since
        if len(self._failures) > _MAX_TRACKED:
            self._failures.popitem(last=False)
        if count + 1 > self._settings.failures:
            raise Refusal(403, "Too Many Wrong Passwords")

    def _by_flow(self, request: Request) -> Subscriber | None:
        """A device that registered over this flow, if the transport is trusted and From is its user."""
        if request.flow.kind.lower() not in self._settings.trust_flows:
            return None
        if request.method == "REGISTER":
            return None
        users = {binding.user for binding in self._location.on_flow(request.flow)}
        if not users:
            return None
        sender = self._context.directory.owner_of(self._from(request))
        return sender if sender is not None and sender.id in users else None

    def _from(self, request: Request) -> Address:
        return self._home.address(addr_uri(request.message.get("from")))

    def _chosen(self, request: Request, subscriber: Subscriber) -> Address:
        """The identity to assert (RFC 3325 §6): P-Preferred-Identity or From when it is the user's own, else the
        default one."""
        candidates = [*request.message.values("p-preferred-identity")[:2], request.message.get("from")]
        for value in candidates:
            try:
                address = self._home.address(addr_uri(value))
            except SipError:
                continue
            if address in subscriber.addresses:
                return address
        return subscriber.addresses[0]
