"""How calls fail, in neutral reasons: the trunk's answers, the ends of calls, the refusals of terminals and centres."""

from __future__ import annotations

from collections.abc import Sequence

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.fsk.events import End
from opencpm.protocols.gsm.tpdu import reports
from opencpm.protocols.gsm.tpdu.reports import Fate

# SIP status -> reason, whether a later call may help, and what the sender reads
_CALLS: dict[int, tuple[Reason, bool, str]] = {
    403: (Reason.BARRED, False, "the telephone network does not allow calls to this line"),
    404: (Reason.UNKNOWN_ADDRESS, False, "there is no such telephone line"),
    408: (Reason.NO_ANSWER, True, "nobody answered the call"),
    410: (Reason.UNKNOWN_ADDRESS, False, "this telephone line is gone"),
    415: (Reason.NOT_ACCEPTABLE, False, "the line's network carries no modem (G.711)"),
    480: (Reason.NO_ANSWER, True, "the telephone line did not answer"),
    484: (Reason.UNKNOWN_ADDRESS, False, "the telephone number is not complete"),
    486: (Reason.BUSY, True, "the telephone line is busy"),
    487: (Reason.NO_ANSWER, True, "nobody answered the call"),
    488: (Reason.NOT_ACCEPTABLE, False, "the line's network carries no modem (G.711)"),
    600: (Reason.BUSY, True, "the telephone line is busy"),
    603: (Reason.DECLINED, True, "the call was declined"),
    604: (Reason.UNKNOWN_ADDRESS, False, "there is no such telephone line"),
    606: (Reason.NOT_ACCEPTABLE, False, "the line's network carries no modem (G.711)"),
}


def call_refused(status: int, said: str, schedule: Sequence[float], attempt: int) -> SendError:
    """A call that was not answered, on the ``attempt``-th try (from 1)."""
    if status == 0:
        return SendError(Reason.NETWORK_DOWN, retryable=True, detail="the telephone network does not answer")
    if status in (401, 407):
        return SendError(
            Reason.AUTHENTICATION, detail="the telephone network refused our account", code=_code(status, said)
        )
    known = _CALLS.get(status)
    if known is None:
        busy = status in (500, 502, 503, 504)
        detail = "the telephone network has a passing problem" if busy else "the telephone network refused the call"
        return SendError(
            Reason.CONGESTION if busy else Reason.REJECTED, retryable=busy, detail=detail, code=_code(status, said)
        )
    reason, retryable, detail = known
    after = later(schedule, attempt) if retryable else 0.0
    return SendError(reason, retryable=retryable, retry_after=after, detail=detail, code=_code(status, said))


def _code(status: int, said: str) -> str:
    return f"SIP {status} {said[:80]}".strip()


def later(schedule: Sequence[float], attempt: int) -> float:
    """Seconds until the next call after this many."""
    return schedule[min(max(attempt, 1), len(schedule)) - 1]


def call_ended(end: End, heard: str, known: bool, schedule: Sequence[float], attempt: int) -> SendError:
    """A call that ended before the message was sent. ``known``: this line has had a terminal before."""
    after = later(schedule, attempt)
    if end is End.OTHER_PROTOCOL:
        return SendError(Reason.NOT_ACCEPTABLE, detail=f"{heard}, which is not allowed here", code=end.value)
    if end is End.NO_TERMINAL or (end in (End.HUNG_UP, End.ENDLESS) and heard):
        what = f"{heard or 'something'} answered instead of an SMS terminal"
        if known:
            return SendError(Reason.NO_ANSWER, retryable=True, retry_after=after, detail=what, code=end.value)
        return SendError(
            Reason.UNDELIVERABLE, detail=f"there is no SMS terminal on this line: {what}", code=f"{end.value}: {heard}"
        )
    return SendError(
        Reason.UNREACHABLE,
        retryable=True,
        retry_after=after,
        detail="the call ended before the message was sent",
        code=end.value,
    )


def unclear(end: End, schedule: Sequence[float], attempt: int) -> SendError:
    """Sent, and never acknowledged: whether it arrived is not known, and a retry may double it."""
    return SendError(
        Reason.TIMEOUT,
        retryable=True,
        retry_after=later(schedule, attempt),
        detail="the call broke off before the message was acknowledged",
        code=end.value,
    )


def refused(cause: int, protocol: int, schedule: Sequence[float], attempt: int) -> SendError:
    """The far end acknowledged with a failure cause."""
    if protocol == 2:
        return SendError(Reason.REJECTED, detail="the other end did not take the message", code=f"response {cause}")
    text = f"the other end did not take the message: {reports.cause_text(cause)}"
    code = f"TP-FCS {cause:02X}"
    if reports.may_pass(cause):
        after = later(schedule, attempt)
        return SendError(Reason.UNREACHABLE, retryable=True, retry_after=after, detail=text, code=code)
    return SendError(Reason.UNKNOWN_ADDRESS if cause == 0xC3 else Reason.REJECTED, detail=text, code=code)


def unfit() -> SendError:
    return SendError(
        Reason.UNSUPPORTED_MEDIA, detail="the terminal on this line speaks protocol 2 and cannot show these letters"
    )


def no_trunk(detail: str) -> SendError:
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail or "no way to the telephone network")


def queue_full() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, retry_after=30.0, detail="too many messages wait for a line")


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="no telephone line was free in time")


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")


def status_said(status: int) -> tuple[Status, SendError | None]:
    """What a TP-ST claims. What is not final is pending: nothing is invented."""
    fate, code = reports.fate_of(status), f"TP-ST {status:02X}"
    if fate is Fate.DELIVERED:
        return Status.DELIVERED, None
    if fate is Fate.PENDING:
        return Status.PENDING, None
    if fate is Fate.EXPIRED:
        return Status.FAILED, SendError(Reason.EXPIRED, detail="the receiver was not reached in time", code=code)
    return Status.FAILED, SendError(Reason.UNDELIVERABLE, detail="the SMS centre could not deliver it", code=code)


def cause_of(verdict: SendError, centre: bool) -> int:
    """The TP-FCS with which we refuse what came in; only trouble of ours asks to try again."""
    if verdict.retryable:
        return 0xC0 if centre else 0xD3
    if not centre:
        return 0xD2
    return {Reason.UNKNOWN_ADDRESS: 0xC3, Reason.NO_ROUTE: 0xC3, Reason.BARRED: 0xC4}.get(verdict.reason, 0xFF)
