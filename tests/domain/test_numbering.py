import pytest

from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan

GB = NumberPlan(country_code="44")


@pytest.mark.parametrize(
    ("plan", "ton", "digits", "address"),
    [
        (GB, 1, "447700900123", Address("tel", "+447700900123")),
        (GB, 1, "+447700900123", Address("tel", "+447700900123")),
        (GB, 1, "00447700900123", Address("tel", "+447700900123")),
        (GB, 2, "07700900123", Address("tel", "+447700900123")),
        (GB, 2, "7700900123", Address("tel", "+447700900123")),
        (GB, 0, "07700900123", Address("tel", "+447700900123")),
        (GB, 0, "447700900123", Address("tel", "+447700900123")),
        (NumberPlan(plain_is_international=False), 0, "447700900123", Address("tel", "447700900123")),
        (GB, 3, "60606", Address("tel", "60606")),
        (GB, 0, "606060", Address("tel", "606060")),
        (NumberPlan(), 2, "07700900123", Address("tel", "07700900123")),
        (GB, 5, "CPM Test", Address("alpha", "CPM Test")),
        (GB, 0, "INFO", Address("alpha", "INFO")),
        (GB, 5, "", Address("alpha", "unknown")),
        (GB, 0, "١٢٣", Address("alpha", "١٢٣")),
    ],
)
def test_receiving(plan, ton, digits, address):
    assert plan.to_address(ton, digits) == address
