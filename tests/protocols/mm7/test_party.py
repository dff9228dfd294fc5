"""Who MM7 addresses mean."""

from __future__ import annotations

import pytest

from opencpm.protocols.mm7.party import Party, address_of, party_of
from opencpm.protocols.mm7.values import MAIL, NUMBER, SHORT_CODE, Address


@pytest.mark.parametrize(
    ("address", "party"),
    [
        (Address(NUMBER, "+447700900556/TYPE=PLMN"), Party("number", "+447700900556")),
        (Address(NUMBER, "4" * 50), Party("number", "4" * 21)),
        (Address(SHORT_CODE, " 100 "), Party("code", "100")),
        (Address(SHORT_CODE, "١٢٣"), Party("name", "١٢٣")),
        (Address(SHORT_CODE, "INFO"), Party("name", "INFO")),
        (Address(MAIL, "Bob@X.test"), Party("mail", "bob@x.test")),
        (Address(MAIL, "+4477/TYPE=PLMN"), Party("number", "+4477")),
        (Address(NUMBER, "qx", coding="encrypted"), Party("hidden", "qx")),
    ],
)
def test_whom_an_address_means(address: Address, party: Party) -> None:
    assert party_of(address) == party


def test_how_people_are_written() -> None:
    assert [address_of(text).kind for text in ("+44", "100", "INFO", "a@b")] == [NUMBER, SHORT_CODE, SHORT_CODE, MAIL]
