from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.selection import numbers


@pytest.mark.parametrize(
    ("number", "region", "canonical"),
    [
        ("+12025550101", "", "+12025550101"),
        ("+12025550101", "GB", "+12025550101"),
        ("07700900123", "GB", "+447700900123"),
        ("07700900123", "", None),
        ("2025550101", "US", "+12025550101"),
        ("66777", "", "66777"),
        ("66777", "GB", "66777"),
        ("+1202", "", None),
        ("+1234567890123456", "", None),
        ("+0123456789", "", None),
        ("0", "GB", None),
    ],
)
def test_canonical_form(number: str, region: str, canonical: str | None) -> None:
    assert numbers.canonical(number, region) == canonical


def test_canonical_addresses() -> None:
    assert numbers.canonical_address(Address("tel", "07700900123"), "GB") == Address("tel", "+447700900123")
    for left_alone in (Address("tel", "07700900123"), Address("sip", "07700900123@x"), Address("tel", "+1")):
        assert numbers.canonical_address(left_alone, "") is left_alone


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+447400123456", "mobile"),
        ("+442079460000", "fixed"),
        ("+12025550101", "unknown"),  # +1 does not tell them apart
        ("+99912345678", "unknown"),
        ("66777", "unknown"),
        ("+", "unknown"),
    ],
)
def test_number_types(number: str, kind: str) -> None:
    assert numbers.number_type(number) == kind


def test_possible_numbers() -> None:
    assert numbers.is_possible("+12025550101")
    assert not numbers.is_possible("+120255501011")
    assert not numbers.is_possible("+99912345678")


def test_emergency_numbers() -> None:
    assert numbers.is_emergency("112", "")
    assert numbers.is_emergency("17", "FR")
    assert not numbers.is_emergency("17", "GB")
    assert not numbers.is_emergency("66777", "GB")
    assert not numbers.is_emergency("+11223344", "GB")


@given(st.text(alphabet="0123456789+*#", min_size=1, max_size=24), st.sampled_from(["", "GB", "US", "FR"]))
def test_canonical_form_is_stable(number: str, region: str) -> None:
    once = numbers.canonical(number, region)
    assert once is None or numbers.canonical(once, region) == once
    numbers.number_type(number)
    numbers.is_possible(number)
    numbers.is_emergency(number, region)
