import pytest

from opencpm.protocols.smpp.party import Party, to_party


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("+447700900123", Party(1, 1, "447700900123")),
        ("60606", Party(3, 0, "60606")),
        ("CPM Test", Party(5, 0, "CPM Test")),
        ("447700900123", Party(1, 1, "447700900123")),
        ("770090012", Party(2, 1, "770090012")),
        ("*100#", Party(5, 0, "*100#")),
    ],
)
def test_sending(text, party):
    assert to_party(text) == party
