"""Answering a digest challenge (RFC 7616, RFC 8760), client side."""

from __future__ import annotations

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import Auth, parse_auth
from opencpm.protocols.sip.message import Message


def challenge_of(response: Message) -> tuple[str, Auth] | None:
    """The best challenge we can answer and the name of the header for the answer; None where there is none."""
    found = [
        (header, auth)
        for name, header in (("proxy-authenticate", "Proxy-Authorization"), ("www-authenticate", "Authorization"))
        for auth in map(parse_auth, response.fields(name))
        if auth.scheme == "digest" and digest.algorithm_of(auth)
    ]
    strong = [one for one in found if digest.algorithm_of(one[1]) == "SHA-256"]
    return next(iter(strong or found), None)


def authorization(challenge: Auth, user: str, password: str, method: str, uri: str, cnonce: str) -> str:
    """The value of the Authorization header for the first request with this nonce."""
    algorithm, realm = digest.algorithm_of(challenge), challenge.get("realm")
    values = {
        "username": user,
        "realm": realm,
        "nonce": challenge.get("nonce"),
        "uri": uri,
        "qop": "auth" if challenge.get("qop") else "",
        "nc": "00000001",
        "cnonce": cnonce,
    }
    response = digest.answer(digest.ha1(user, realm, password, algorithm), Auth("digest", values), method, algorithm)
    counted = f', qop=auth, nc=00000001, cnonce="{cnonce}"' if values["qop"] else ""
    opaque = f', opaque="{challenge.get("opaque")}"' if challenge.get("opaque") else ""
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{values["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm={algorithm}{counted}{opaque}'
    )
