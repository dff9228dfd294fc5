"""The response that a token login (dialects 15 and later) computes from the server's nonce and the token's proof key.

Two keys are derived from the proof key; one signs the nonce, with the other it is encrypted. The result is a fixed
block of 128 octets, as base64.
"""

import binascii
import hmac
import struct
from base64 import b64decode, b64encode
from hashlib import sha1
from typing import NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from opencpm.protocols.msnp.errors import MsnpError

IV_OCTETS = 8
_KEY_OCTETS = 24
_HASH = b"WS-SecureConversationSESSION KEY HASH"
_ENCRYPTION = b"WS-SecureConversationSESSION KEY ENCRYPTION"
_HEADER = struct.Struct("<7I")
_MODE_CBC, _TRIPLE_DES, _SHA1 = 1, 0x6603, 0x8004
_MAX_NONCE = 1024
_MAX_RESPONSE = 4096


class Parts(NamedTuple):
    """A response taken apart (the server's side)."""

    iv: bytes
    mac: bytes
    cipher: bytes


def response(nonce: str, secret: str, iv: bytes) -> str:
    """The response for `USR SSO S`. `nonce` is used as the text it is, `secret` is the token's BinarySecret (base64 of
    24 octets), `iv` 8 random octets. Raises MsnpError."""
    key = _octets(secret)
    data = nonce.encode()
    if len(key) != _KEY_OCTETS or len(iv) != IV_OCTETS or len(data) > _MAX_NONCE:
        raise MsnpError("proof key, nonce or vector of a wrong size")
    mac = _mac(derive(key, _HASH), data)
    cipher = _encrypted(derive(key, _ENCRYPTION), iv, data)
    head = _HEADER.pack(_HEADER.size, _MODE_CBC, _TRIPLE_DES, _SHA1, len(iv), len(mac), len(cipher))
    return b64encode(head + iv + mac + cipher).decode()


def derive(key: bytes, label: bytes) -> bytes:
    """A session key of 24 octets for one purpose."""
    first = _mac(key, label)
    third = _mac(key, first)
    return _mac(key, first + label) + _mac(key, third + label)[:4]


def take_apart(text: str) -> Parts:
    """Read a response. Raises MsnpError when it does not say what it should."""
    data = _octets(text[:_MAX_RESPONSE])
    if len(data) < _HEADER.size:
        raise MsnpError("response too short")
    size, mode, cipher, digest, iv, mac, rest = _HEADER.unpack_from(data)
    if (size, mode, cipher, digest) != (_HEADER.size, _MODE_CBC, _TRIPLE_DES, _SHA1):
        raise MsnpError("response with other algorithms")
    if iv != IV_OCTETS or mac != sha1(usedforsecurity=False).digest_size or len(data) != size + iv + mac + rest:
        raise MsnpError("response with wrong sizes")
    return Parts(data[size : size + iv], data[size + iv : size + iv + mac], data[size + iv + mac :])


def proves(text: str, nonce: str, secret: str) -> bool:
    """Whether a response was made from this nonce and this proof key (the server's side)."""
    try:
        return hmac.compare_digest(response(nonce, secret, take_apart(text).iv), text)
    except MsnpError:
        return False


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha1")


def _encrypted(key: bytes, iv: bytes, data: bytes) -> bytes:
    padding = 8 - len(data) % 8
    encryptor = Cipher(TripleDES(key), CBC(iv)).encryptor()
    return encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize()


def _octets(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MsnpError("not base64") from None
