"""Ids and addresses."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.yahoo.names import Names, possible

NAMES = Names("yahoo.test")


def test_both_ways() -> None:
    assert NAMES.address("bob") == Address("yahoo", "bob@yahoo.test") == Address.parse("yahoo:Bob@Yahoo.test")
    assert NAMES.user("bob@yahoo.test") == "bob"
    assert NAMES.user("Bob@Yahoo.Test") == "bob"
    assert NAMES.user("bob") == "bob"  # an address written without the domain


def test_an_id_that_is_a_mail_address_stays_one() -> None:
    assert NAMES.address("bob@example.com") == Address("yahoo", "bob@example.com")
    assert NAMES.user("bob@example.com") == "bob@example.com"


@pytest.mark.parametrize("value", ["", "@yahoo.test", "a b", "a,b", "a:b", "a\nb", "a\x00b", "x" * 97, "a\u200bb"])
def test_what_cannot_be_an_id(value: str) -> None:
    with pytest.raises(SendError) as caught:
        NAMES.user(value)
    assert caught.value.reason is Reason.UNKNOWN_ADDRESS
    assert not possible(value.removesuffix("@yahoo.test"))
