import pytest

from opencpm.protocols.gsm import alphabet, national


def test_default_table_has_128_distinct_codes():
    assert len(set(alphabet.DEFAULT_TABLE)) == 128


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("hello", "68656C6C6F"),
        ("@", "00"),
        ("Test €5 [ok]", "54657374201B6535201B3C6F6B1B3E"),
        ("Ça_$", "09611102"),
        ("", ""),
        ("line\nnext", "6C696E650A6E657874"),
    ],
)
def test_there_and_back(text, septets):
    assert alphabet.encode(text) == bytes.fromhex(septets)
    assert alphabet.decode(bytes.fromhex(septets)) == text


@pytest.mark.parametrize("text", ["`", "ç", "\t", "тест", "a\x1bb", "\xff", "😀", "a\x00"])
def test_what_has_no_code(text):
    assert alphabet.encode(text) is None


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        ("1B7A", "z"),  # no such extension: the default table's character
        ("1B1B41", " A"),
        ("411B", "A "),
        ("1B1B", " "),
        ("1B1B1B65", " €"),
        ("E9", "é"),  # no septet at all
    ],
)
def test_decoding_what_is_not_defined(septets, text):
    assert alphabet.decode(bytes.fromhex(septets)) == text


def test_turkish_tables():
    single = national.alphabet(single_shift=national.TURKISH)
    locking = national.alphabet(locking_shift=national.TURKISH)
    assert single.encode("Şğ€") == bytes.fromhex("1B531B671B65")
    assert locking.encode("Şğ€") == bytes.fromhex("1C0C04")
    assert locking.decode(bytes.fromhex("1C0C04")) == "Şğ€"
    assert single.encode("ñandú") is None


def test_a_reserved_language_is_the_default_table():
    assert national.alphabet(99, 99) is alphabet.DEFAULT
