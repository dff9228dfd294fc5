"""The comparison itself: it finds each kind of broken promise."""

from __future__ import annotations

from collections import Counter

import pytest

from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.short_message import ShortMessage, encode_short_message
from tests.crash.ledger import Kept, Ledger


def _good() -> Ledger:
    """Alice wrote t1, Bob wrote i2; both came, after one kill t1 twice."""
    ledger = Ledger(kills=1, written={"t1": "#t1# end"}, accepted={"t1"}, texted={"i2": "#i2# end"}, taken={"i2"})
    ledger.segments["t1", 1].add(b"#t1# end")
    ledger.offered["i2", 1] = 1
    ledger.shown["#t1# end"] = 2
    ledger.heard["TCP", "m2"].add(("dlv-2", "#i2# end"))
    ledger.notified["TCP", "t1"].add("dlv-1")
    ledger.kept = [Kept("sent", "t1", "#t1# end"), Kept("received", "m2", "#i2# end")]
    return ledger


def test_kept_promises_are_no_fault() -> None:
    assert _good().faults() == []


def _sms_lost(ledger: Ledger) -> None:
    ledger.shown.clear()


def _receipt_lost(ledger: Ledger) -> None:
    ledger.notified.clear()


def _text_lost(ledger: Ledger) -> None:
    ledger.heard.clear()


def _history_lost(ledger: Ledger) -> None:
    ledger.kept.clear()


def _sent_as_another(ledger: Ledger) -> None:
    ledger.segments["t1", 1].add(b"\x05\x00\x03\x07\x01\x01#t1# end")


def _too_often(ledger: Ledger) -> None:
    ledger.shown = Counter({"#t1# end": 3})


def _stored_twice(ledger: Ledger) -> None:
    ledger.kept.append(ledger.kept[0])


def _invented(ledger: Ledger) -> None:
    ledger.shown["#t9# end"] += 1


def _pushed_as_another(ledger: Ledger) -> None:
    ledger.heard["TCP", "m2"].add(("dlv-3", "#i2# end"))


def _receipt_as_another(ledger: Ledger) -> None:
    ledger.notified["TCP", "t1"].add("dlv-9")


def _taken_twice(ledger: Ledger) -> None:
    ledger.heard["TCP", "m3"].add(("dlv-3", "#i2# end"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_sms_lost, "not on the phone"),
        (_receipt_lost, "has no receipt"),
        (_text_lost, "on no device"),
        (_history_lost, "not in the history"),
        (_sent_as_another, "went out in 2 forms"),
        (_too_often, "3 times after 1 kills"),
        (_stored_twice, "2 times in the history"),
        (_invented, "what nobody wrote"),
        (_pushed_as_another, "m2 came to TCP as"),
        (_receipt_as_another, "2 Call-IDs"),
        (_taken_twice, "became 2 messages"),
    ],
)
def test_each_broken_promise_is_named(spoil, said: str) -> None:
    ledger = _good()
    spoil(ledger)
    assert any(said in line for line in ledger.faults())


def test_segments_are_read_from_the_wire() -> None:
    ledger = Ledger()
    text = ShortMessage(source="1", destination="2", message=b"\x05\x00\x03\x07\x02\x02#t1# ", esm_class=0x40)
    ledger.submitted(encode_short_message(Command.SUBMIT_SM, 1, text))
    assert dict(ledger.segments) == {("t1", 2): {b"\x05\x00\x03\x07\x02\x02#t1# "}}
