"""Addresses, both ways."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.numbering import NumberPlan
from opencpm.interworking.mms.addresses import neutral, on_mms
from opencpm.protocols.mm4.address import parse_address

UK = NumberPlan("44")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+447700900556/TYPE=PLMN@mms.test", "tel:+447700900556"),
        ("447700900556/TYPE=PLMN", "tel:+447700900556"),
        ("07700900556/type=plmn", "tel:+447700900556"),
        ("+100/TYPE=PLMN@mms.test", "tel:100"),
        ("100/TYPE=PLMN", "tel:100"),
        ("+12025550100", "tel:+12025550100"),
        ("Bob@Mail.test", "mailto:bob@mail.test"),
        ("10.0.0.1/TYPE=IPv4", None),
        ("shop", None),
    ],
)
def test_what_peers_write(text: str, meant: str | None) -> None:
    found = neutral(parse_address(text), UK)
    assert (str(found) if found else None) == meant


@pytest.mark.parametrize(
    ("number", "domain", "written"),
    [
        ("+447700900123", "mms.test", "+447700900123/TYPE=PLMN@mms.test"),
        ("+447700900123", "", "+447700900123/TYPE=PLMN"),
        ("66777", "", "66777/TYPE=PLMN"),
    ],
)
def test_what_we_write(number: str, domain: str, written: str) -> None:
    assert str(on_mms(Address("tel", number), domain)) == written


@pytest.mark.parametrize("address", [Address("sip", "alice@cpm.test"), Address("tel", "*100#")])
def test_what_has_no_number(address: Address) -> None:
    with pytest.raises(SendError):
        on_mms(address)
