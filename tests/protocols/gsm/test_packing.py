import pytest

from opencpm.protocols.gsm.packing import fill_bits, pack, unpack


@pytest.mark.parametrize(
    ("septets", "packed"),
    [
        ("68656C6C6F", "E8329BFD06"),
        ("68656C6C6F68656C6C6F", "E8329BFD4697D9EC37"),
        ("31323334353637", "31D98C56B3DD00"),
        ("3132333435363738", "31D98C56B3DD70"),
        ("00", "00"),
        ("54657374201B6535201B3C6F6B1B3E", "D4F29C0EDA946BA00DEFBDDEF800"),
    ],
)
def test_packing(septets, packed):
    assert pack(bytes.fromhex(septets)) == bytes.fromhex(packed)
    assert unpack(bytes.fromhex(packed), len(septets) // 2) == bytes.fromhex(septets)


@pytest.mark.parametrize(
    ("header", "fill", "packed"),
    [
        ("050003A70201", 1, "C2E231"),
        ("06080412340201", 0, "61F118"),
        ("03240101", 3, "088BC7"),
        ("080003A70201240101", 5, "202C1E03"),
    ],
)
def test_fill_bits_after_a_header(header, fill, packed):
    assert fill_bits(len(header) // 2) == fill
    assert pack(b"abc", fill) == bytes.fromhex(packed)
    assert unpack(bytes.fromhex(packed), 3, fill) == b"abc"


def test_a_count_beyond_the_octets_is_cut():
    assert unpack(bytes.fromhex("E8329BFD06"), 200) == b"hello"
