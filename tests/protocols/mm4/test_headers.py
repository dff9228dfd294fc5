from __future__ import annotations

import pytest

from opencpm.protocols.mm4.headers import decode_words, encode_words, read_date, read_headers


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?UTF-8?q?Gr=C3=BC=C3=9Fe_x?= y", "Grüße x y"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8?B?8J+Y?= =?utf-8?B?gA==?=", "😀"),
        ("=?utf-8?Q?a?= =?iso-8859-1?Q?b?= c", "ab c"),
        ("a =?utf-8?Q?b?= c =?utf-8?Q?d?=", "a b c d"),
        ("=?utf-8*en?Q?a?=", "a"),
        ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        ("=?punycode?Q?a?= b", "=?punycode?Q?a?= b"),
        ("=?utf-8?B?!?=", "=?utf-8?B?!?="),
        ("=?iso-8859-99?Q?=FC?=", "ü"),
        ("Übersicht =?utf-8?Q?=C3=BC?=", "Übersicht ü"),
        ("=?utf-8?B??=", ""),
        ("=?", "=?"),
    ],
)
def test_encoded_words(text, decoded):
    assert decode_words(text) == decoded


@pytest.mark.parametrize("text", ["plain", "Grüße 😀", "=?utf-8?Q?a?=", "ü" * 300, "写真" * 50, ""])
def test_words_come_back(text):
    encoded = encode_words(text)
    assert encoded.isascii()
    headers, _ = read_headers(b"Subject: " + encoded.encode() + b"\r\n\r\n")
    assert decode_words(headers[0][1]) == text


def test_blocks():
    headers, body = read_headers(b"A: 1\r\n 2\r\nB: \xc3\xbc\r\nC: \xfc\r\n\r\nbody\r\n")
    assert headers == (("A", "1 2"), ("B", "ü"), ("C", "ü"))
    assert body == b"body\r\n"
    assert read_headers(b"A: 1\n\n\nbody")[1] == b"\nbody"
    assert read_headers(b"A: 1") == ((("A", "1"),), b"")
    assert read_headers(b"\nbody") == ((), b"body")


def test_dates():
    assert read_date("Mon, 23 Nov 2026 08:02:26 GMT") == 1795420946
    assert read_date("Mon, 23 Nov 2026 09:02:26 +0100") == 1795420946
    for wrong in ("", "soon", "Mon, 99 Nov 2026 08:02:26 GMT", "Mon, 23 Nov 2026 08:02:26 +9999999999"):
        assert read_date(wrong) is None
