"""What is kept of passwords and tokens: forms from which the server can check, and which are sealed besides.

Devices prove a password by digest, so the server keeps ``H(username:realm:password)`` (RFC 7616 §3.4.2) for each name
under which the user may sign in, and not the password. These hashes are as good as the password to whoever reads
them; that is why they are sealed, and why a slower hash beside them would protect nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

ALGORITHMS = ("MD5", "SHA-256")
_PREFIX = "cpm"
_WRONG = "0" * 64


def ha1(username: str, realm: str, password: str, algorithm: str) -> str:
    """``H(username:realm:password)`` in hex."""
    text = f"{username}:{realm}:{password}".encode("utf-8", "surrogateescape")
    if algorithm == "MD5":  # what deployed clients speak; RFC 8760 §2 keeps it beside SHA-256
        return hashlib.md5(text, usedforsecurity=False).hexdigest()
    return hashlib.sha256(text).hexdigest()


class Hashes(NamedTuple):
    """One user's password in checkable form: (user name, algorithm) → HA1, for one realm."""

    realm: str
    by_name: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, names: Iterable[str], realm: str, password: str) -> Hashes:
        return cls(realm, {(name, how): ha1(name, realm, password, how) for name in names for how in ALGORITHMS})

    def to_bytes(self) -> bytes:
        rows = [[name, how, value] for (name, how), value in self.by_name.items()]
        return json.dumps({"realm": self.realm, "ha1": rows}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Hashes:
        """:raises ValueError: not what :meth:`to_bytes` made."""
        try:
            read = json.loads(data)
            return cls(read["realm"], {(name, how): value for name, how, value in read["ha1"]})
        except (KeyError, TypeError) as error:
            raise ValueError("these are no password hashes") from error


def is_password(hashes: Hashes | None, name: str, password: str) -> bool:
    """Whether the password is right, in the same time whether or not there is such a user."""
    realm, kept = ("", _WRONG) if hashes is None else (hashes.realm, hashes.by_name.get((name, "SHA-256"), _WRONG))
    return hmac.compare_digest(ha1(name, realm, password, "SHA-256"), kept)


class Token(NamedTuple):
    """An API token as kept: whose it is and the hash of its secret part, never the token."""

    user_id: str
    label: str
    digest: str

    def to_bytes(self) -> bytes:
        return json.dumps([*self]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Token:
        """:raises ValueError: not what :meth:`to_bytes` made."""
        try:
            user_id, label, digest = json.loads(data)
        except TypeError as error:
            raise ValueError("this is no token") from error
        return cls(user_id, label, digest)

    def matches(self, secret: str) -> bool:
        return hmac.compare_digest(self.digest, _digest(secret))


def make_token(user_id: str, label: str) -> tuple[str, str, Token]:
    """A new token: what its user gets to see once, the id under which it is kept, and what is kept."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(24)  # 192 bits: a fast hash is enough
    return f"{_PREFIX}_{token_id}_{secret}", token_id, Token(user_id, label, _digest(secret))


def split_token(text: str) -> tuple[str, str] | None:
    """(id, secret) of a token, or None where the text is none."""
    prefix, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    if prefix != _PREFIX or len(token_id) != 12 or not 0 < len(secret) <= 64 or not text.isascii():
        return None
    return token_id, secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
