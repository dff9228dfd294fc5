"""The worked vectors: one for each of the five cases, and the token of the web login."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg import YmsgError
from opencpm.protocols.ymsg.digest import md5_crypt, prove, token_response, y64

VECTORS = [
    ("bElJzkkNT3O1gY76zyU3dw--", "H8.w0oQR.lVi9RaefnkdjQ--", "jOw98NqD.7hUtSfiRWYsqQ--"),
    ("jmgxh6AOXUYqSu7mnp09nA--", "UdLc_ED5I4Iz0G0P8yr52A--", "3jg_j2MRcztSre.TuQ6pow--"),
    ("09lRPwcnJJg5OEbYzEMuLA--", "Sy7duMqkkLvtPa7rq9FIdw--", "YyGUw1CepL38QsDIvVEgZA--"),
    ("5Q63WYtYAxG6uPObuPSBWw--", "Z3KUvqq.ob2BPt8YxTAfFA--", "s_5MJvnH_7rkdDa3b9IgRg--"),
    ("v5R9IA17AhsY04Q387wZQA--", "5HXLX5lUTLc4bybeI4ErrA--", "3s15ZYgqOdbo7x5h46KOcw--"),
    ("bb.awtoJ7h096_WlGHPsbQ--", "eswIoeK7y_zg9BrRyh.lhA--", "c.dZaFyxgtiyrPUoRJkOcQ--"),
]


@pytest.mark.parametrize(("challenge", "plain", "crypted"), VECTORS)
def test_each_case_of_the_challenge(challenge: str, plain: str, crypted: str) -> None:
    assert prove("alice", "123456", challenge.encode()) == (plain, crypted)


def test_the_crypt_of_unix() -> None:
    assert md5_crypt(b"123456", b"_2S43d5f") == b"$1$_2S43d5f$Jf0REhT8mdJvh5P9NFUo.1"
    assert len(md5_crypt(b"", b"_2S43d5f")) == len(md5_crypt(b"p" * 100, b"_2S43d5f"))


def test_the_token() -> None:
    assert token_response("CRUMBVALUE0123456789", b"bo1m3ea2SzyqzuSfpn0moA--") == "2KbS1.EocuGj29wkO32PqQ--"


def test_the_alphabet() -> None:
    assert y64(b"\xfb\xef\xff\xff") == "..___w--"
    assert set(y64(bytes(range(256)))) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_short_challenge() -> None:
    with pytest.raises(YmsgError):
        prove("alice", "123456", b"short")
