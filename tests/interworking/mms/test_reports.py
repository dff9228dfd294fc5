"""What the words of MMS reports mean to us."""

from __future__ import annotations

import pytest

from opencpm.domain.errors import Reason
from opencpm.domain.message import Disposition
from opencpm.domain.report import Status
from opencpm.interworking.mms import reports
from opencpm.interworking.mms.profile import profile_of
from opencpm.interworking.mms.settings import MmsSettings, read


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Retrieved", Status.DELIVERED),
        ("Forwarded", Status.PENDING),
        ("Deferred", Status.PENDING),
        ("Indeterminate", Status.PENDING),
        ("Unreachable", Status.PENDING),
        ("Something", Status.PENDING),
        ("Expired", Status.FAILED),
        ("Rejected", Status.FAILED),
        ("Unrecognised", Status.FAILED),
        ("Unrecognized", Status.FAILED),
    ],
)
def test_only_final_words_are_final(word: str, status: Status) -> None:
    assert reports.delivery_said(word)[0] is status


def test_failures_say_why() -> None:
    error = reports.delivery_said("Expired")[1]
    assert error is not None
    assert error.reason is Reason.EXPIRED


def test_a_read_report_is_believed_only_where_the_operator_says_so() -> None:
    believing = MmsSettings(read_to_display=True)
    assert reports.read_said("Read", MmsSettings()) is Status.PENDING
    assert reports.read_said("Read", believing) is Status.DISPLAYED
    assert reports.read_said("Deleted without being read", believing) is Status.PENDING
    assert Status.DISPLAYED not in profile_of(MmsSettings()).reports
    assert Status.DISPLAYED in profile_of(believing).reports


def test_what_a_phone_asks_for() -> None:
    assert reports.wants(True, None) == Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
    assert reports.wants(None, True) == Disposition.DISPLAY
    assert reports.wants(False, False) == Disposition.NONE


def test_wrong_settings_say_what_to_mend() -> None:
    with pytest.raises(ValueError, match="beginning of a number"):
        read(MmsSettings, {"classes": {"Bob": "text"}})
    with pytest.raises(ValueError, match="content_class"):
        read(MmsSettings, {"content_class": "enormous"})
