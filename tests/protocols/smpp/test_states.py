import pytest

from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.states import Role, SessionState, may_receive, may_send

TX, RX, TRX = SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX


@pytest.mark.parametrize(
    ("role", "command", "states"),
    [
        (Role.ESME, Command.BIND_TRANSCEIVER, {SessionState.OPEN, SessionState.OUTBOUND}),
        (Role.ESME, Command.SUBMIT_SM, {TX, TRX}),
        (Role.SMSC, Command.SUBMIT_SM, set()),
        (Role.SMSC, Command.DELIVER_SM, {RX, TRX}),
        (Role.ESME, Command.DATA_SM, {TX, TRX}),
        (Role.SMSC, Command.DATA_SM, {RX, TRX}),
        (Role.ESME, Command.UNBIND, {TX, RX, TRX}),
        (Role.SMSC, Command.OUTBIND, {SessionState.OPEN}),
        (Role.ESME, Command.ENQUIRE_LINK, set(SessionState) - {SessionState.CLOSED}),
    ],
)
def test_who_may_send_what_when(role, command, states):
    assert {state for state in SessionState if may_send(role, command, state)} == states


def test_what_was_under_way_is_taken_while_unbinding():
    assert may_receive(Role.ESME, Command.DELIVER_SM, SessionState.UNBINDING)
    assert not may_receive(Role.SMSC, Command.BIND_RECEIVER, SessionState.UNBINDING)
    assert not may_receive(Role.ESME, 0x7777, TRX)
