import pytest

from opencpm.domain.address import Address
from opencpm.interworking.sms.addresses import Party, Plan, to_party

GB = Plan(country_code="44")


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


@pytest.mark.parametrize(
    ("plan", "ton", "npi", "digits", "address"),
    [
        (GB, 1, 1, "447700900123", Address("tel", "+447700900123")),
        (GB, 1, 1, "+447700900123", Address("tel", "+447700900123")),
        (GB, 1, 1, "00447700900123", Address("tel", "+447700900123")),
        (GB, 2, 1, "07700900123", Address("tel", "+447700900123")),
        (GB, 2, 1, "7700900123", Address("tel", "+447700900123")),
        (GB, 0, 0, "07700900123", Address("tel", "+447700900123")),
        (GB, 0, 0, "447700900123", Address("tel", "+447700900123")),
        (Plan(plain_is_international=False), 0, 1, "447700900123", Address("tel", "447700900123")),
        (GB, 3, 0, "60606", Address("tel", "60606")),
        (GB, 0, 0, "606060", Address("tel", "606060")),
        (Plan(), 2, 1, "07700900123", Address("tel", "07700900123")),
        (GB, 5, 0, "CPM Test", Address("alpha", "CPM Test")),
        (GB, 0, 0, "INFO", Address("alpha", "INFO")),
        (GB, 5, 0, "", Address("alpha", "unknown")),
        (GB, 0, 0, "١٢٣", Address("alpha", "١٢٣")),
    ],
)
def test_receiving(plan, ton, npi, digits, address):
    assert plan.to_address(ton, npi, digits) == address
