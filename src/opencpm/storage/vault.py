"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key derived from the server's secret (HKDF, RFC 5869)."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_PURPOSE = b"opencpm secrets at rest"
SHORTEST_KEY = 16
"""Bytes. HKDF spreads entropy, it does not add any: the secret must be a random one, not a word."""


class Vault:
    """Implements :class:`opencpm.interfaces.Vault`."""

    def __init__(self, key: bytes | str) -> None:
        """:raises ValueError: the key is too short to be a random one."""
        secret = key.encode() if isinstance(key, str) else key
        if len(secret) < SHORTEST_KEY:
            raise ValueError(
                f"the secret key has fewer than {SHORTEST_KEY} bytes; `opencpm quickstart` writes a good one"
            )
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, _PURPOSE).derive(secret))

    def seal(self, secret: bytes) -> bytes:
        """Version, nonce, ciphertext with tag. Sealing twice never gives the same."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _VERSION)

    def unseal(self, sealed: bytes) -> bytes:
        """:raises ValueError: sealed with another key, or changed."""
        if len(sealed) < 1 + _NONCE + _TAG or sealed[:1] != _VERSION:
            raise ValueError("this is not a sealed secret")
        nonce, text = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, text, _VERSION)
        except InvalidTag:
            raise ValueError("the secret was sealed with another key, or changed") from None
