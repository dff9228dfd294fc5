from __future__ import annotations

import pytest

from opencpm.protocols.mm7.errors import Mm7Error
from opencpm.protocols.mm7.times import format_time, parse_time

MOMENT = 1795420946.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T08:02:26Z", MOMENT),
        ("2026-11-23T09:02:26+01:00", MOMENT),
        (" 2026-11-23T08:02:26 ", MOMENT),
        ("2026-11-23T08:02:26.5Z", MOMENT + 0.5),
        ("P1D", 86400.0),
        ("PT30M", 1800.0),
        ("P1DT2H3M4.5S", 86400 + 7384.0),
        ("P1Y1M1W", (365 + 30 + 7) * 86400.0),
    ],
)
def test_dates_and_durations(text, seconds):
    assert parse_time(text, 0.0) == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "soon", "2026-13-01T00:00:00Z", "P99999999D", "0001-01-01T00:00:00+14:00x"]
)
def test_refused(text):
    with pytest.raises(Mm7Error):
        parse_time(text, 0.0)


def test_written():
    assert format_time(MOMENT + 0.9) == "2026-11-23T08:02:26Z"
    for wrong in (1e18, float("inf"), float("nan")):
        with pytest.raises(Mm7Error):
            format_time(wrong)
