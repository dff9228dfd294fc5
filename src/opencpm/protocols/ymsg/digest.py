"""What a client proves that it knows the password with: the challenge of versions 9 and 10, the token of 15 and 16."""

from __future__ import annotations

import base64
from hashlib import md5
from typing import Final, NamedTuple

from opencpm.protocols.ymsg.errors import YmsgError

_SALT: Final = b"_2S43d5f"
_MAGIC: Final = b"$1$"
_ITOA64: Final = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROUNDS: Final = 1000
_PICK: Final = (7, 9, 15, 1, 3)  # by case: which octet of the challenge picks the one that leads the text
CHALLENGE_LENGTH: Final = 24


class Proof(NamedTuple):
    """Keys 6 and 96 of AUTHRESP."""

    plain: str
    crypted: str


def y64(octets: bytes) -> str:
    """Base64 in Yahoo's alphabet: ``.`` for ``+``, ``_`` for ``/``, ``-`` for padding."""
    return base64.b64encode(octets).decode().translate(_TO_Y64)


_TO_Y64: Final = str.maketrans("+/=", "._-")


def prove(user: str, password: str, challenge: bytes) -> Proof:
    """Answer a challenge (versions 9 and 10).

    :raises YmsgError: the challenge is shorter than 24 octets.
    """
    if len(challenge) < CHALLENGE_LENGTH:
        raise YmsgError("a challenge that is too short")
    secret = password.encode()
    plain = y64(md5(secret, usedforsecurity=False).digest())
    crypted = y64(md5(md5_crypt(secret, _SALT), usedforsecurity=False).digest())
    return Proof(_mixed(user, challenge, plain), _mixed(user, challenge, crypted))


def _mixed(user: str, challenge: bytes, secret: str) -> str:
    case = (challenge[15] % 8) % 5
    key = challenge[challenge[_PICK[case]] % 16 :][:1]
    u, c, q = user.encode(), challenge, secret.encode()
    order = ((q, u, c), (u, c, q), (c, q, u), (u, q, c), (q, c, u))[case]
    return y64(md5(key + b"".join(order), usedforsecurity=False).digest())


def token_response(crumb: str, challenge: bytes) -> str:
    """Key 307: the proof of the web login (versions 15 and 16), crumb first."""
    return y64(md5(crumb.encode() + challenge, usedforsecurity=False).digest())


def md5_crypt(password: bytes, salt: bytes) -> bytes:
    """The classic crypt of Unix with MD5: ``$1$salt$`` and 22 characters."""
    inner = md5(password + salt + password, usedforsecurity=False).digest()
    text = bytearray(password + _MAGIC + salt)
    left = len(password)
    while left > 0:
        text += inner[: min(16, left)]
        left -= 16
    bits = len(password)
    while bits:
        text += b"\x00" if bits & 1 else password[:1]
        bits >>= 1
    final = md5(bytes(text), usedforsecurity=False).digest()
    for turn in range(_ROUNDS):
        final = _round(turn, final, password, salt)
    return _MAGIC + salt + b"$" + _in_64(final)


def _round(turn: int, digest: bytes, password: bytes, salt: bytes) -> bytes:
    text = password if turn & 1 else digest
    if turn % 3:
        text += salt
    if turn % 7:
        text += password
    text += digest if turn & 1 else password
    return md5(text, usedforsecurity=False).digest()


def _in_64(digest: bytes) -> bytes:
    out = bytearray()
    for a, b, c in ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)):
        out += _letters(digest[a] << 16 | digest[b] << 8 | digest[c], 4)
    return bytes(out + _letters(digest[11], 2))


def _letters(value: int, count: int) -> bytes:
    return bytes(_ITOA64[value >> 6 * at & 0x3F] for at in range(count))
