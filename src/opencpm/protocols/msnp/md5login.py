"""The login of dialects 2 to 7: MD5 over the server's challenge and the password."""

from hashlib import md5


def response(challenge: str, password: str) -> str:
    """What `USR MD5 S` carries: 32 lower-case hex digits."""
    return md5((challenge + password).encode(), usedforsecurity=False).hexdigest()
