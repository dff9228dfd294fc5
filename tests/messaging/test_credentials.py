from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.messaging.credentials import Hashes, Token, ha1, is_password, make_token, split_token


def test_ha1_of_the_rfc_examples() -> None:
    """RFC 2617 §3.5 and RFC 7616 §3.9.1: their responses follow from these."""
    assert ha1("Mufasa", "testrealm@host.com", "Circle Of Life", "MD5") == "939e7578ed9e3c518a452acee763bce9"
    kept = ha1("Mufasa", "http-auth@example.org", "Circle of Life", "SHA-256")
    assert kept == "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"


def test_hashes_survive_storage() -> None:
    hashes = Hashes.of(["alice", "alice@cpm.test"], "cpm.test", "pä$$")
    assert Hashes.from_bytes(hashes.to_bytes()) == hashes
    assert b"$$" not in hashes.to_bytes()
    assert len(hashes.by_name) == 4


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"nonsense", b"7"])
def test_junk_is_no_credential(junk: bytes) -> None:
    with pytest.raises(ValueError):
        Hashes.from_bytes(junk)
    with pytest.raises(ValueError):
        Token.from_bytes(junk)


def test_passwords_are_checked() -> None:
    hashes = Hashes.of(["alice"], "cpm.test", "right")
    assert is_password(hashes, "alice", "right")
    assert not is_password(hashes, "alice", "wrong")
    assert not is_password(hashes, "bob", "right")
    assert not is_password(None, "alice", "right")


def test_a_token_opens_with_its_secret_only() -> None:
    text, token_id, kept = make_token("alice", "laptop")
    assert split_token(text) is not None
    found_id, secret = split_token(text) or ("", "")
    assert found_id == token_id
    assert kept.matches(secret)
    assert not kept.matches(secret[:-1])
    assert secret not in repr(kept)
    assert Token.from_bytes(kept.to_bytes()) == kept


@given(st.text())
def test_any_text_may_be_offered_as_a_token(text: str) -> None:
    parts = split_token(text)
    assert parts is None or len(parts[0]) == 12
