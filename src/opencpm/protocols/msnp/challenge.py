"""Answers to the CHL challenge of a notification server (and to the lock key of the offline message store)."""

import struct
from hashlib import md5
from typing import NamedTuple

_MODULUS = 0x7FFFFFFF
_FACTOR = 0x0E79A9C1


class Product(NamedTuple):
    """A client product: the id named in QRY and the key that only it and the server know."""

    id: str
    key: str


MSN_6 = Product("msmsgs@msnmsgr.com", "Q1P7W2E4J9R8U3S5")
MSN_7 = Product("PROD0090YUAUV{2B", "YMM8C_H7KCQ2S_KL")
MSN_8 = Product("PROD0119GSJUC$18", "ILTXC!4IXB5FB*PX")
MSN_14 = Product("PROD0120PW!CCV9@", "C1BX{V4W}Q3*10SM")


def product_for(dialect: int) -> Product:
    """The product whose key a dialect number (8, 12, ...) was used with."""
    if dialect <= 10:
        return MSN_6
    if dialect <= 12:
        return MSN_7
    return MSN_8 if dialect <= 15 else MSN_14


def answer(challenge: str, product: Product, dialect: int) -> str:
    """The 32 lower-case hex digits that QRY carries, in the form of the dialect."""
    return md5_answer(challenge, product) if dialect <= 10 else keyed_answer(challenge, product)


def md5_answer(challenge: str, product: Product) -> str:
    """Dialects 2 to 10: hex MD5 of challenge and product key."""
    return md5((challenge + product.key).encode(), usedforsecurity=False).hexdigest()


def keyed_answer(challenge: str, product: Product) -> str:
    """Dialects 11 and later: the digest mixed with a checksum over challenge and product id."""
    digest = md5((challenge + product.key).encode(), usedforsecurity=False).digest()
    words = struct.unpack("<4I", digest)
    k0, k1, k2, k3 = (word & _MODULUS for word in words)
    high = low = 0
    data = _padded(challenge + product.id)
    for first, second in zip(data[::2], data[1::2], strict=True):
        t = (((_FACTOR * first) % _MODULUS + high) * k0 + k1) % _MODULUS
        high = ((second + t) % _MODULUS * k2 + k3) % _MODULUS
        low += high + t
    high = (high + k1) % _MODULUS
    low = (low + k3) % _MODULUS
    # The unmasked words are mixed in: the masked ones differ whenever a top bit is set.
    return struct.pack("<4I", words[0] ^ high, words[1] ^ low, words[2] ^ high, words[3] ^ low).hex()


def _padded(text: str) -> tuple[int, ...]:
    data = text.encode()
    data += b"0" * (-len(data) % 8)
    return struct.unpack(f"<{len(data) // 4}I", data)
