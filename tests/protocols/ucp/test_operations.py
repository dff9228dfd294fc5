import pytest

from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.framing import Frame, decode
from opencpm.protocols.ucp.operations import (
    OPERATIONS,
    CallInput,
    Message,
    Result,
    SessionOperation,
    Transfer,
    as_message,
    frame_of,
    operation_of,
    result_frame,
    result_of,
)

from . import vectors
from .vectors import CALL, LOGIN, NOTIFICATION, TRANSFER


@pytest.mark.parametrize("frame", vectors.OPERATIONS)
def test_every_operation_comes_back(frame):
    decoded = decode(frame.encode())
    assert frame_of(decoded.trn, decoded.ot, operation_of(decoded)) == decoded


@pytest.mark.parametrize("frame", vectors.RESULTS)
def test_every_result_comes_back(frame):
    decoded = decode(frame.encode())
    assert result_frame(decoded.trn, decoded.ot, result_of(decoded)) == decoded


def test_the_names_are_at_their_places():
    login = operation_of(decode(LOGIN.encode()))
    assert login == SessionOperation("cpm", "6", "5", "1", "736563726574", vers="0100")
    note = operation_of(decode(NOTIFICATION.encode()))
    assert (note.adc, note.oadc, note.scts) == ("600600", "447700900123", "231126073015")
    assert (note.dst, note.rsn, note.dscts, note.mt) == ("0", "000", "231126073042", "3")
    assert len(Message._fields) == 33


def test_results():
    assert result_of(decode(vectors.SUBMIT_ACCEPTED.encode())) == Result(0, "447700900123:231126073015")
    assert result_of(decode(vectors.CALL_ACCEPTED.encode())) == Result(0, "447700900123:231126073015")
    assert result_of(decode(vectors.SUBMIT_REFUSED.encode())) == Result(4, "OPERATION NOT ALLOWED")
    assert result_of(Frame(1, True, 51, ("A",))) == Result()
    assert result_of(Frame(1, True, 51, ("N", "00"))) == Result(2)


@pytest.mark.parametrize("fields", [("",), ("X", "1"), ("N",), ("N", "x"), ("N", "²"), ("N", "1234")])
def test_no_result(fields):
    with pytest.raises(UcpError):
        result_of(Frame(1, True, 51, fields))


@pytest.mark.parametrize(("ot", "ec"), [(2, 3), (99, 3), (51, 2), (31, 2)])
def test_no_operation(ot, ec):
    with pytest.raises(UcpError) as raised:
        operation_of(Frame(7, False, ot, ("x",) * 5))
    assert (raised.value.ec, raised.value.trn, raised.value.ot) == (ec, 7, ot)


def test_older_operations_in_the_form_of_the_50_series():
    call = as_message(operation_of(decode(CALL.encode())))
    assert call == Message("447700900123", "600600", mt="3", msg="68656C6C6F")
    transfer = as_message(operation_of(decode(TRANSFER.encode())))
    assert transfer == Message("447700900123", "600600", nrq="1", mt="3", msg="68656C6C6F")
    assert as_message(CallInput("1")).adc == as_message(Transfer("1")).adc == "1"


def test_the_table_is_complete():
    assert set(OPERATIONS) == {1, 30, 31, *range(51, 59), 60, 61}
