from opencpm.access.smpp.ledger import KEPT, Ledger, Row
from tests.interworking.sms.support import State


def test_a_row_is_there_in_the_next_life():
    state = State()
    Ledger(state, 0.0).add("ab", ("ab00.1",), (1, 2), 5.0)
    again = Ledger(state, 6.0)
    assert again.get("ab") == Row(("ab00.1",), (1, 2), 5.0)
    assert again.get("cd") is None


def test_a_name_that_comes_again_adds():
    ledger = Ledger(State(), 0.0)
    ledger.add("ab", ("ab00.1",), (2,), 5.0)
    ledger.add("ab", ("ab00.2",), (1,), 6.0)
    assert ledger.get("ab") == Row(("ab00.1", "ab00.2"), (1, 2), 6.0)


def test_what_is_old_or_broken_is_dropped():
    state = State()
    ledger = Ledger(state, 0.0)
    ledger.add("ab", ("ab00.1",), (0,), 5.0)
    state.put_state("smpp.ledger", "cd", b"{}")
    state.put_state("smpp.ledger", "ef", b"nonsense")
    assert len(Ledger(state, 6.0)) == 1
    assert len(Ledger(state, 6.0 + KEPT)) == 0
    assert state.all_state("smpp.ledger") == {}
