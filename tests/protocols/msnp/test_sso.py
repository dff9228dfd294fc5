"""The token login's response: the two worked vectors, one of them accepted by a live server, and what is refused."""

import re

import pytest

from opencpm.protocols.msnp import md5login, sso
from opencpm.protocols.msnp.errors import MsnpError
from tests.protocols.msnp.script import read

A_SECRET = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
A_NONCE = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
A_BLOB = (
    "HAAAAAEAAAADZgAABIAAAAgAAAAUAAAASAAAAAECAwQFBgcIisLUw7OQDVEuB5SOlpaAK7pz0BO38WanNfJyYgjpHGTulTL4rrYv705cqPdGKBAV"
    "5nUu+qBxGnqi7ldu8UZWZEiBS1uIDNumZXR7E+AvvTuZSRvE2v1gtmgxFGs="
)


def test_worked_example() -> None:
    assert sso.response(A_NONCE, A_SECRET, bytes(range(1, 9))) == A_BLOB
    key = bytes(range(1, 25))
    assert sso.derive(key, b"WS-SecureConversationSESSION KEY HASH").hex() == (
        "faab032d0b0b0e5c3b236294ac9070e62b429cc75f630d8f"
    )
    assert sso.derive(key, b"WS-SecureConversationSESSION KEY ENCRYPTION").hex() == (
        "6a09297162f557689b17565a605833abcd9be06386559ffa"
    )


def test_every_recorded_response_is_what_we_would_have_said() -> None:
    steps = read("msnp18-addressbook-group-uum.txt")
    nonce = secret = ""
    checked = []
    for step in steps:
        if step.kind == "S" and " SSO S " in step.line:
            nonce = step.line.split(" ")[5]
        elif step.name == "HTTP" and b"Compact0" in step.data:
            secret = re.findall(r"<wst:BinarySecret>([^<]*)<", step.data.decode())[-1]
        elif step.kind == "C" and " SSO S " in step.line:
            blob = step.line.split(" ")[5]
            checked.append(sso.proves(blob, nonce, secret))
    # The second login of that recording has the last octet changed, and the server answered 911.
    assert checked == [True, False, True, True, True]


@pytest.mark.parametrize("text", ["", "x", "AAAA", A_BLOB[:-8], "AAAAAA" + A_BLOB[6:]])
def test_what_is_no_response(text: str) -> None:
    with pytest.raises(MsnpError):
        sso.take_apart(text)
    assert not sso.proves(text, A_NONCE, A_SECRET)


@pytest.mark.parametrize(("secret", "iv"), [("AAAA", bytes(8)), (A_SECRET, bytes(7)), ("not base64!", bytes(8))])
def test_unusable_keys(secret: str, iv: bytes) -> None:
    with pytest.raises(MsnpError):
        sso.response(A_NONCE, secret, iv)


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        ("9130cd021895a11", "cec8df7ca8307888eee1abf02de69577"),
        ("734967a7f26afe2", "841654224a6e6ad62dc9fdc42ec223f8"),
    ],
)
def test_md5(challenge: str, expected: str) -> None:
    assert md5login.response(challenge, "123456") == expected
