"""Digest authentication of devices over HTTP (RFC 7616), with the passwords they register with."""

from __future__ import annotations

from secrets import token_bytes

from starlette.requests import Request

from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.sip import digest
from opencpm.protocols.sip.digest import Verdict
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import Auth, parse_auth


class HttpDigest:
    """Judges requests. Nonces of an earlier process are stale, which costs a device one round."""

    def __init__(self, realm: str) -> None:
        self._policy = digest.Policy(realm, token_bytes(32))
        self._counts = digest.NonceCounts()

    def subscriber(self, request: Request, within: House) -> Subscriber:
        """Who asks.

        :raises Problem: 401 with a challenge, 403 for a barred subscriber, 429 after too many wrong passwords.
        """
        auth = _answer(request)
        address = request.client.host if request.client else "?"
        now = within.clock.now()
        username = auth.get("username")
        if wait := within.logins.wait(username, address, now):
            detail = "Too many wrong passwords; wait a little."
            raise Problem(429, "too-many", detail, headers={"Retry-After": str(int(wait) + 1)})
        verdict = self._verdict(request, auth, within, now)
        if verdict is Verdict.ACCEPTED:
            found = within.people.of_login(username)
            if found is not None and not found.barred:
                within.logins.passed(username, address)
                return found
            raise Problem(403, "barred", "The operator has barred this account.")
        if verdict is Verdict.WRONG:
            within.logins.failed(username, address, now)
        raise self._challenge(within, now, stale=verdict is Verdict.STALE)

    def _verdict(self, request: Request, auth: Auth, within: House, now: float) -> Verdict:
        algorithm = digest.algorithm_of(auth)
        secret = within.people.ha1(auth.get("username"), self._policy.realm, algorithm) if algorithm else None
        verdict = digest.verify(self._policy, auth, request.method, secret, self._counts, now)
        if verdict is Verdict.ACCEPTED and not _same_target(request, auth.get("uri")):
            return Verdict.WRONG
        return verdict

    def _challenge(self, within: House, now: float, *, stale: bool) -> Problem:
        nonce = digest.make_nonce(self._policy, now, within.ids.new())
        fields = digest.challenges(self._policy, nonce, stale=stale)
        problem = Problem(401, "authentication", "Prove who you are: the user and password of your devices.")
        problem.many = [value for _, value in fields]
        return problem


def _answer(request: Request) -> Auth:
    value = request.headers.get("authorization", "")
    try:
        found = parse_auth(value[:4096])
    except SipError:
        found = Auth("", {})
    return found if found.scheme == "digest" else Auth("", {})


def _same_target(request: Request, uri: str) -> bool:
    """The answer must be for this request (RFC 7616 §3.4.6); clients behind proxies write the whole address."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    raw = request.scope.get("raw_path", b"").decode("latin-1")
    query = request.scope.get("query_string", b"").decode("latin-1")
    given = uri
    if "://" in given:
        given = "/" + given.partition("://")[2].partition("/")[2]
    return given in (target, raw + (f"?{query}" if query else ""))
