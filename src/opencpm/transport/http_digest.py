"""Digest authentication of machines over HTTP (RFC 7616), server side, for :class:`~.http_post.Resource`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from secrets import token_bytes, token_hex
from typing import NamedTuple

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.digest import Verdict
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import Auth, parse_auth

_LONGEST = 4096
_NOTHING = Auth("", {})

Secret = Callable[[str, str, str], "str | None"]
"""(user, realm, algorithm): H(user:realm:password) in hex; None: no such user."""


class Judged(NamedTuple):
    verdict: Verdict
    user: str = ""


class DigestGate:
    """Judges answers and makes challenges. Nonces of an earlier process are stale, which costs a peer one round."""

    def __init__(self, realm: str, secret: Secret) -> None:
        self._policy = digest.Policy(realm, token_bytes(32))
        self._counts = digest.NonceCounts()
        self._secret = secret

    def judge(self, target: str, authorization: str) -> Judged:
        """Of a POST to ``target``. CHALLENGE: no answer to a challenge of ours; WRONG: one that is not right."""
        auth = _auth(authorization)
        user, algorithm = auth.get("username"), digest.algorithm_of(auth)
        secret = self._secret(user, self._policy.realm, algorithm) if algorithm and user else None
        verdict = digest.verify(self._policy, auth, "POST", secret, self._counts, _now())
        if verdict is Verdict.ACCEPTED and _path(auth.get("uri")) != target:
            return Judged(Verdict.WRONG, user)
        return Judged(verdict, user)

    def challenges(self, *, stale: bool = False) -> tuple[tuple[str, str], ...]:
        """WWW-Authenticate fields."""
        nonce = digest.make_nonce(self._policy, _now(), token_hex(8))
        return tuple(digest.challenges(self._policy, nonce, stale=stale))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _auth(authorization: str) -> Auth:
    try:
        found = parse_auth(authorization[:_LONGEST])
    except SipError:
        return _NOTHING
    return found if found.scheme == "digest" else _NOTHING


def _path(uri: str) -> str:
    """Clients behind proxies write the whole address (RFC 7616 §3.4.6)."""
    return "/" + uri.partition("://")[2].partition("/")[2] if "://" in uri else uri
