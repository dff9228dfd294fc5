"""Operations and results as named fields, in the order of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .errors import UcpError
from .framing import Frame

CALL_INPUT = 1
TRANSFER = 30
ALERT = 31
SUBMIT = 51
DELIVER = 52
NOTIFICATION = 53
SESSION = 60
PROVISIONING = 61
NOT_SUPPORTED, NOT_ALLOWED = 3, 4


class Message(NamedTuple):
    """The 33 fields of the 50 series. ``msg`` is NMsg, AMsg or TMsg by ``mt`` (2 numeric, 3 alphanumeric, 4 octets)."""

    adc: str = ""  # recipient
    oadc: str = ""  # originator; a packed name with ``otoa`` 5039
    ac: str = ""  # authentication code, where there is no session
    nrq: str = ""  # 1: notification wanted
    nadc: str = ""
    nt: str = ""  # sum of 1 delivered, 2 not delivered, 4 buffered
    npid: str = ""
    lrq: str = ""
    lrad: str = ""
    lpid: str = ""
    dd: str = ""
    ddt: str = ""
    vp: str = ""  # DDMMYYhhmm in the centre's time
    rpid: str = ""  # TP-PID as four digits
    scts: str = ""  # DDMMYYhhmmss: with the recipient the name of a message
    dst: str = ""  # 0 delivered, 1 buffered, 2 not delivered
    rsn: str = ""
    dscts: str = ""
    mt: str = ""
    nb: str = ""  # number of bits, where mt is 4
    msg: str = ""
    mms: str = ""
    pr: str = ""
    dcs: str = ""
    mcls: str = ""
    rpi: str = ""
    cpg: str = ""
    rply: str = ""
    otoa: str = ""
    hplmn: str = ""
    xser: str = ""
    res4: str = ""
    res5: str = ""


class CallInput(NamedTuple):
    """01."""

    adc: str = ""
    oadc: str = ""
    oac: str = ""
    mt: str = ""
    msg: str = ""


class Transfer(NamedTuple):
    """30. ``msg`` is AMsg."""

    adc: str = ""
    oadc: str = ""
    oac: str = ""
    nrq: str = ""
    nad: str = ""
    npid: str = ""
    dd: str = ""
    ddt: str = ""
    vp: str = ""
    msg: str = ""


class Alert(NamedTuple):
    """31: the keep-alive."""

    adc: str = ""
    pid: str = ""


class SessionOperation(NamedTuple):
    """60. ``styp`` 1 opens a session; ``pwd`` is IRA hex."""

    oadc: str = ""
    oton: str = ""
    onpi: str = ""
    styp: str = ""
    pwd: str = ""
    npwd: str = ""
    vers: str = ""
    ladc: str = ""
    lton: str = ""
    lnpi: str = ""
    opid: str = ""
    res1: str = ""


class ProvisioningOperation(NamedTuple):
    """61."""

    oadc: str = ""
    oton: str = ""
    onpi: str = ""
    styp: str = ""
    pwd: str = ""
    npwd: str = ""
    vers: str = ""
    ladc: str = ""
    lton: str = ""
    lnpi: str = ""
    res1: str = ""
    res2: str = ""


Operation = Message | CallInput | Transfer | Alert | SessionOperation | ProvisioningOperation

OPERATIONS: Mapping[int, type[Operation]] = {
    CALL_INPUT: CallInput,
    TRANSFER: Transfer,
    ALERT: Alert,
    **dict.fromkeys(range(51, 59), Message),
    SESSION: SessionOperation,
    PROVISIONING: ProvisioningOperation,
}
NAMES: Mapping[int, str] = {
    1: "call input",
    30: "message transfer",
    31: "alert",
    51: "submit",
    52: "deliver",
    53: "notification",
    54: "modify",
    55: "inquiry message",
    56: "delete",
    57: "inquiry response",
    58: "delete response",
    60: "session",
    61: "provisioning",
}
_WITH_MVP = frozenset({TRANSFER, *range(51, 59)})


class Result(NamedTuple):
    """A result: ``ec`` 0 is positive; ``sm`` is the system message (``AdC:SCTS`` where a message was taken)."""

    ec: int = 0
    sm: str = ""
    mvp: str = ""


def operation_of(frame: Frame) -> Operation:
    """The fields of an operation by name. Raises UcpError: EC 03 for one nobody knows, 02 for a wrong count."""
    kind = OPERATIONS.get(frame.ot)
    if kind is None:
        raise UcpError(f"operation {frame.ot:02}", NOT_SUPPORTED, frame.trn, frame.ot)
    if len(frame.fields) != len(kind._fields):
        raise UcpError(f"{len(frame.fields)} fields in operation {frame.ot:02}", 2, frame.trn, frame.ot)
    return kind(*frame.fields)


def frame_of(trn: int, ot: int, operation: Operation) -> Frame:
    return Frame(trn, False, ot, tuple(operation))


def result_of(frame: Frame) -> Result:
    """Read a result; fields that are left out are taken as empty. Raises UcpError if it is neither A nor N."""
    verdict, *rest = frame.fields
    rest += [""] * 2
    if verdict == "A":
        if frame.ot in _WITH_MVP:
            return Result(0, rest[1], rest[0])
        return Result(0, rest[0])
    if verdict == "N" and rest[0].isascii() and rest[0].isdecimal() and len(rest[0]) <= 3:
        return Result(int(rest[0]) or 2, rest[1])
    raise UcpError(f"a result that says {verdict[:8]!r}", 2, frame.trn)


def result_frame(trn: int, ot: int, result: Result) -> Frame:
    if result.ec:
        fields: tuple[str, ...] = ("N", f"{result.ec:02}", result.sm)
    elif ot in _WITH_MVP:
        fields = ("A", result.mvp, result.sm)
    else:
        fields = ("A", result.sm)
    return Frame(trn, True, ot, fields)


def as_message(operation: CallInput | Transfer | Message) -> Message:
    """The older operations in the form of the 50 series."""
    if isinstance(operation, CallInput):
        return Message(operation.adc, operation.oadc, operation.oac, mt=operation.mt, msg=operation.msg)
    if isinstance(operation, Transfer):
        return Message(
            operation.adc,
            operation.oadc,
            operation.oac,
            nrq=operation.nrq,
            nadc=operation.nad,
            npid=operation.npid,
            dd=operation.dd,
            ddt=operation.ddt,
            vp=operation.vp,
            mt="3",
            msg=operation.msg,
        )
    return operation
