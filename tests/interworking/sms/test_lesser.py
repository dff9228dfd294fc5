import pytest

from opencpm.interworking.sms.lesser import lesser
from opencpm.protocols.smpp.short_message import UDHI, ShortMessage

SM = ShortMessage("1", "2", b"Hello \x1be", registered_delivery=1, validity="000000010000000R")


def test_without_a_receipt_or_a_validity():
    assert lesser(0x07, SM) == SM._replace(registered_delivery=0)
    assert lesser(0x62, SM) == SM._replace(validity="")


def test_in_another_alphabet():
    assert lesser(0x104, SM) == SM._replace(message="Hello €".encode("utf-16-be"), data_coding=8)


@pytest.mark.parametrize(
    ("status", "sm"),
    [
        (0x0B, SM),
        (0x07, SM._replace(registered_delivery=0)),
        (0x62, SM._replace(validity="")),
        (0x104, SM._replace(data_coding=8)),
        (0x104, SM._replace(esm_class=UDHI)),
        (0x104, SM._replace(message=b"x" * 71)),
    ],
)
def test_nothing_to_leave_out(status, sm):
    assert lesser(status, sm) is None
