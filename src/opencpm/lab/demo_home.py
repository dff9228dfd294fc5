"""Bob's home telephone as the demo's page sees it: its texts, and the calls in which they came as sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from opencpm.lab.line import CallRecord
from opencpm.lab.line.meaning import said_in
from opencpm.lab.line.picture import Burst, bursts, detail, envelope
from opencpm.lab.world import ALICE_NUMBER, HOME_NUMBER, Home
from opencpm.protocols.fsk.events import Trace
from opencpm.protocols.fsk.tones import RATE
from opencpm.protocols.telephone.caller import same_number

Tell = Callable[[dict[str, Any]], None]
Fault = Literal["none", "busy", "packet"]
LOOK = 0.1  # seconds between looks at a call that lasts
SHOWN = 12  # calls
COLUMNS = 160
WIDE = 700  # columns of the large drawing


class HomeDesk:
    """Tells ``tell`` of every change: while a call lasts several times a second, else never."""

    def __init__(self, home: Home, tell: Tell) -> None:
        self._home, self._tell = home, tell
        self._looking: asyncio.Task[None] | None = None
        home.exchange.happenings.subscribe(lambda _: self._look_on())

    # -- what is shown ---------------------------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        handset = self._home.handset
        received = [
            {"direction": "received", "text": t.text, "at": t.at, "peer": t.sender, "status": "received"}
            for t in handset.texts
        ]
        sent = [
            {"direction": "sent", "text": t.text, "at": t.at, "peer": t.to, "status": t.status} for t in handset.sent
        ]
        calls = sorted([*map(_call, self._calls()[-SHOWN:]), *self._missed()], key=lambda call: float(call["at"]))
        messages = sorted(received + sent, key=lambda m: float(str(m["at"])))
        return {"number": handset.number, "centre": handset.centre, "messages": messages, "calls": calls[-SHOWN:]}

    def sound(self, ident: str) -> dict[str, Any] | None:
        """The whole call, to draw; None where it is not known (any more)."""
        call = self._call(ident)
        if call is None:
            return None
        sides = {"centre": call.heard(), "line": call.said()}
        return {
            "rate": RATE,
            "samples": call.samples,
            **{side: envelope(samples, WIDE) for side, samples in sides.items()},
            "bursts": [_burst(burst) for burst in bursts(call)],
        }

    def burst(self, ident: str, index: int) -> dict[str, Any] | None:
        """One burst with its samples and bits."""
        call = self._call(ident)
        found = bursts(call) if call is not None else []
        if call is None or not 0 <= index < len(found):
            return None
        near = detail(call, found[index])
        bits = {"bits": near.bits, "edges": near.edges, "octets": near.octets, "baud": near.rate}
        return {**_burst(found[index]), "samples": near.samples, **bits}

    def _calls(self) -> list[CallRecord]:
        return self._home.exchange.log.of(self._home.handset.number)

    def _call(self, ident: str) -> CallRecord | None:
        return next((call for call in self._calls() if _ident(call) == ident), None)

    def _missed(self) -> list[dict[str, Any]]:
        """The line rang, or would have, and no call came of it."""
        answered = [call.at for call in self._calls() if not call.dialled_by_line]
        rang = [it for it in self._home.exchange.happenings.all if it.what == "ringing"]
        return [
            {"id": "", "at": it.at, "caller": it.peer, "by_line": False, "state": "busy", "end": "busy", "frames": []}
            for it in rang
            if same_number(it.number, HOME_NUMBER) and not any(0 <= at - it.at < LOOK for at in answered)
        ]

    # -- what is done ----------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        self._home.handset.send(text, ALICE_NUMBER)
        self._look_on()

    def fault(self, kind: Fault) -> None:
        """``packet``: 20 ms of the next frame are lost on the way to the handset."""
        faults = self._home.exchange.faults
        faults.clear()
        if kind == "busy":
            faults.busy.add(HOME_NUMBER)
        elif kind == "packet":
            faults.spoil_heard = 1

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Until every call is over."""
        told: dict[str, Any] = {}
        lasting = True
        while lasting:
            lasting = any(not call.end for call in self._calls()) or any(
                sent.status == "calling" for sent in self._home.handset.sent
            )
            now = self.shown()
            if now != told:
                self._tell({"type": "home", **now})
            told = now
            await asyncio.sleep(LOOK)


def _ident(call: CallRecord) -> str:
    return str(int(call.at * 1e6))


def _call(call: CallRecord) -> dict[str, Any]:
    sides = {"centre": call.heard(), "line": call.said()}
    return {
        "id": _ident(call),
        "at": call.at,
        "caller": call.caller,
        "called": call.called,
        "by_line": call.dialled_by_line,
        "state": "over" if call.end else "talking" if call.samples else "ringing",
        "end": call.end,
        "seconds": round(call.seconds, 2),
        "protocol": call.protocol,
        "frames": [_frame(trace) for trace in call.trace],
        "wave": {side: envelope(samples, COLUMNS) for side, samples in sides.items()},
    }


def _frame(trace: Trace) -> dict[str, Any]:
    by_line = trace.what == "said"
    return {"at": trace.at, **_words(bytes.fromhex(trace.frame), by_line, trace.what in ("said", "heard"))}


def _burst(burst: Burst) -> dict[str, Any]:
    whole = burst.kind.value in ("frame", "seizure")
    return {"start": burst.start, "end": burst.end, **_words(burst.frame, burst.by_line, whole)}


def _words(frame: bytes, by_line: bool, whole: bool) -> dict[str, Any]:
    if not whole:
        return {"by": _side(by_line), "name": "?", "meaning": "Spoilt on the way", "text": "", "hex": frame.hex()}
    return {"by": _side(by_line), **said_in(frame, by_line)._asdict(), "hex": frame.hex()}


def _side(by_line: bool) -> str:
    return "line" if by_line else "centre"
