import pytest

from opencpm.protocols.ucp.codes import ERROR_CODES, REASONS, Retry, error_code, why


@pytest.mark.parametrize(
    ("ec", "reason", "retry"),
    [
        (1, "protocol-error", Retry.ONCE),
        (4, "throttled", Retry.LATER),
        (6, "invalid-destination", Retry.NO),
        (7, "authentication", Retry.LOGIN),
        (22, "invalid-request", Retry.PLAIN),
        (24, "too-long", Retry.NO),
        (38, "accepted-elsewhere", Retry.NO),
        (77, "rejected", Retry.NO),
    ],
)
def test_error_codes(ec, reason, retry):
    assert (error_code(ec).reason, error_code(ec).retry) == (reason, retry)


def test_the_tables_are_complete():
    assert set(ERROR_CODES) == {*range(1, 28), *range(30, 39)}
    assert set(REASONS) == {*range(11), 30, 31, *range(100, 128), *range(200, 209)}


@pytest.mark.parametrize(
    ("rsn", "reason"),
    [
        ("000", "invalid-destination"),
        ("005", "temporary-failure"),
        ("104", "barred"),
        ("107", "expired-absent"),
        ("202", "too-long"),
        ("", "permanent-failure"),
        ("٣", "permanent-failure"),
        ("999", "permanent-failure"),
    ],
)
def test_reasons(rsn, reason):
    assert why(rsn).reason == reason
