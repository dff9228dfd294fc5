import pytest

from opencpm.protocols.sip.status import REASONS, is_passing, preferred


@pytest.mark.parametrize(
    ("failures", "best"),
    [
        ([], 480),
        ([408, 480], 480),
        ([480, 404], 404),
        ([404, 415, 480], 415),
        ([486, 603], 603),
        ([500, 503], 480),
        ([486, 404], 404),
    ],
)
def test_the_answer_for_a_fork_that_failed(failures, best):
    assert preferred(failures) == best


def test_passing_failures_have_reasons_of_their_own():
    assert is_passing(480)
    assert not is_passing(404)
    assert REASONS[202] == "Accepted"
