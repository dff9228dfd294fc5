from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.storage.vault import Vault

KEY = "0123456789abcdef0123456789abcdef"
VAULT = Vault(KEY)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_what_is_sealed_can_be_unsealed(secret: bytes) -> None:
    sealed = VAULT.seal(secret)
    assert Vault(KEY.encode()).unseal(sealed) == secret
    assert len(secret) < 8 or secret not in sealed


def test_sealing_twice_never_gives_the_same() -> None:
    assert VAULT.seal(b"secret") != VAULT.seal(b"secret")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ValueError, match="another key"):
        Vault(KEY + "0").unseal(VAULT.seal(b"secret"))


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(b"secret"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError):
        VAULT.unseal(bytes(sealed))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_anything_else_is_a_value_error(noise: bytes) -> None:
    with pytest.raises(ValueError):
        VAULT.unseal(noise)


def test_a_word_is_no_key() -> None:
    with pytest.raises(ValueError, match="quickstart"):
        Vault("password")
