import pytest

from opencpm.domain.session import TRANSITIONS, SessionError, SessionEvent, SessionState, advance


def walk(*events: SessionEvent) -> SessionState:
    state = SessionState.INVITED
    for event in events:
        state = advance(state, event)
    return state


def test_the_life_of_a_session() -> None:
    assert walk(SessionEvent.RING, SessionEvent.ANSWER, SessionEvent.CLOSE, SessionEvent.GONE) is SessionState.CLOSED
    assert walk(SessionEvent.REFUSE) is SessionState.CLOSED
    assert walk(SessionEvent.ANSWER) is SessionState.ESTABLISHED


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (SessionState.CLOSED, SessionEvent.ANSWER),
        (SessionState.ESTABLISHED, SessionEvent.RING),
        (SessionState.ESTABLISHED, SessionEvent.REFUSE),
        (SessionState.CLOSING, SessionEvent.ANSWER),
    ],
)
def test_what_cannot_happen_is_refused(state: SessionState, event: SessionEvent) -> None:
    with pytest.raises(SessionError, match="not possible"):
        advance(state, event)


def test_closed_is_the_end_and_is_reached_from_everywhere() -> None:
    assert not any(state is SessionState.CLOSED for state, _ in TRANSITIONS)
    for start in set(SessionState) - {SessionState.CLOSED}:
        reached = {start}
        while True:
            more = {to for (state, _), to in TRANSITIONS.items() if state in reached} - reached
            if not more:
                break
            reached |= more
        assert SessionState.CLOSED in reached
