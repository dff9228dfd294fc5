"""Digest authentication, server side (RFC 7616, RFC 8760; RFC 2069 form without qop as deployed clients send).

Nonces are made from a key and the time and need no memory: `time.salt.mac`. Only the nonce counts already used
are remembered, for as long as the nonce lives.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Final

from opencpm.protocols.sip.headers import Auth

ALGORITHMS: Final = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
"""What we verify, by the token of RFC 7616 §3.3."""


class Verdict(Enum):
    ACCEPTED = "accepted"
    CHALLENGE = "challenge"  # no answer given yet: an empty response asks for a challenge
    STALE = "stale"  # the answer is right, the nonce too old or its count used
    WRONG = "wrong"  # wrong password, unknown user, or a nonce that is not ours


@dataclass(frozen=True, slots=True)
class Policy:
    """What answers are taken. `lifetime` is a nonce's, in seconds."""

    realm: str
    key: bytes
    lifetime: float = 300.0
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    without_qop: bool = True  # the RFC 2069 form: no nonce count, so a captured answer works until the nonce ends


def ha1(user: str, realm: str, password: str, algorithm: str) -> str:
    """H(user:realm:password) in hex."""
    return _hash(algorithm, f"{user}:{realm}:{password}")


def answer(ha1_hex: str, auth: Auth, method: str, algorithm: str) -> str:
    """The response that the given challenge parameters deserve (RFC 7616 §3.4.1)."""
    ha2 = _hash(algorithm, f"{method}:{auth.get('uri')}")
    if auth.get("qop"):
        middle = f"{auth.get('nonce')}:{auth.get('nc')}:{auth.get('cnonce')}:{auth.get('qop')}"
    else:
        middle = auth.get("nonce")
    return _hash(algorithm, f"{ha1_hex}:{middle}:{ha2}")


def _hash(algorithm: str, text: str) -> str:
    return ALGORITHMS[algorithm](text.encode("utf-8", "surrogateescape")).hexdigest()


def make_nonce(policy: Policy, now: float, salt: str) -> str:
    """A nonce that proves when we made it. `salt` is any fresh token without a dot."""
    stamp = f"{int(now * 1000):x}.{salt}"
    return f"{stamp}.{_mac(policy, stamp)}"


def _mac(policy: Policy, stamp: str) -> str:
    return hmac.new(policy.key, f"{policy.realm}\n{stamp}".encode(), hashlib.sha256).hexdigest()[:24]


def nonce_age(policy: Policy, nonce: str, now: float) -> float | None:
    """Seconds since we made this nonce; None when it is not ours."""
    stamp, _, mac = nonce.rpartition(".")
    if not hmac.compare_digest(_mac(policy, stamp).encode(), mac.encode("utf-8", "surrogateescape")):
        return None
    return now - int(stamp.partition(".")[0], 16) / 1000


def challenges(policy: Policy, nonce: str, *, stale: bool = False, only: str = "") -> list[tuple[str, str]]:
    """The WWW-Authenticate fields, best algorithm first (RFC 8760 §2.4), or `only` one of them."""
    tail = ", stale=true" if stale else ""
    return [
        (
            "WWW-Authenticate",
            f'Digest realm="{policy.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}',
        )
        for algorithm in policy.algorithms
        if only in ("", algorithm)
    ]


class NonceCounts:
    """Which nonce counts were used (RFC 7616 §3.4.5): a window of the last 64 of each, for the newest nonces."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, nonce: str, count: int) -> bool:
        """Use a count; False when it was used, or is too far behind to know."""
        highest, window = self._used.get(nonce, (0, 0))
        if count > highest:
            window = (window << (count - highest) | 1) & (1 << 64) - 1 if count - highest < 64 else 1
            highest = count
        else:
            bit = 1 << (highest - count)
            if highest - count >= 64 or window & bit:
                return False
            window |= bit
        self._used[nonce] = highest, window
        if len(self._used) > self._capacity:
            self._used.popitem(last=False)
        return True


def algorithm_of(auth: Auth) -> str:
    """The algorithm an answer uses, as spelled in `ALGORITHMS`; MD5 when it names none, "" when unknown."""
    named = auth.get("algorithm").upper() or "MD5"
    return named if named in ALGORITHMS else ""


def verify(policy: Policy, auth: Auth, method: str, ha1_hex: str | None, counts: NonceCounts, now: float) -> Verdict:
    """Judge an Authorization. `ha1_hex` is the user's for `algorithm_of(auth)`, None for an unknown user.

    The order matters: a stale nonce is told only to those who know the password, so that a wrong password
    cannot be tried twice.
    """
    if auth.scheme != "digest" or not auth.get("response"):
        return Verdict.CHALLENGE
    algorithm = algorithm_of(auth)
    if algorithm not in policy.algorithms or auth.get("realm") != policy.realm:
        return Verdict.CHALLENGE
    age = nonce_age(policy, auth.get("nonce"), now)
    if age is None:
        return Verdict.CHALLENGE
    qop = auth.get("qop").lower()
    if ha1_hex is None or qop not in ("", "auth") or (not qop and not policy.without_qop):
        return Verdict.WRONG
    given = auth.get("response").lower().encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(answer(ha1_hex, auth, method, algorithm).encode(), given):
        return Verdict.WRONG
    if not -1 <= age <= policy.lifetime:
        return Verdict.STALE
    return Verdict.ACCEPTED if not qop or _count(auth, counts) else Verdict.STALE


def _count(auth: Auth, counts: NonceCounts) -> bool:
    nc = auth.get("nc")
    try:
        return 0 < len(nc) <= 8 and counts.take(auth.get("nonce"), int(nc, 16))
    except ValueError:
        return False
