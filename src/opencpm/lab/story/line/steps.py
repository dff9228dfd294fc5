"""A text to a telephone line, the answer, and a line where nobody understands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from opencpm.lab.device import Entry, LabDevice, Sent
from opencpm.lab.line import CallRecord
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.line.world import ALICE_NUMBER, BOB_LINE, CENTRE, NETWORK, OLD_LINE, LineWorld
from opencpm.lab.story.trails import PATIENCE, Line, Trails, candidate, fact, patiently
from opencpm.protocols.g711 import Samples

TEXT = "Hi Bob, Alice here. Are you at home on Friday? I can bring the tickets for 5 €"
REPLY = "Yes, come at eight. I am writing this on the telephone in the hall!"
LOST = "Hello, is anybody there?"
PEER = "bob"
_FULL_SCALE = 3.14  # dBm0 of the largest sine in G.711


@dataclass(slots=True)
class Stage:
    """One run; what happened before it is not looked at."""

    world: LineWorld
    device: LabDevice
    trails: Trails
    since: float
    texts_before: int = 0
    sent: Sent | None = None
    lost: Sent | None = None
    reply: str = ""
    call: CallRecord | None = None
    spoilt: bool = False  # a packet in the middle of the text is lost

    @property
    def message_id(self) -> str:
        assert self.sent is not None, "nothing was sent"
        return self.sent.message_id

    def sip_answer(self) -> str:
        found = self.device.journal.find("sip.in", lambda e: b"MESSAGE" in e.raw and e.what.startswith("SIP/2.0 "))
        return found[-1].what

    async def told(self, what: str, message_id: str) -> Entry:
        """What the device was told of a message."""
        return await self.device.journal.wait(
            "imdn", lambda e: e.what == what and e.facts["message_id"] == message_id, PATIENCE
        )

    async def call_of(self, line: str, wanted: Callable[[CallRecord], bool]) -> CallRecord:
        """The newest call of a line in the exchange's log that is wanted. :raises Missing:"""

        async def look() -> CallRecord | None:
            found = [call for call in self.world.exchange.log.of(line) if call.at >= self.since and wanted(call)]
            return found[-1] if found else None

        return await patiently(f"call in the log of line {line}", look)

    async def over(self, call: CallRecord) -> CallRecord:
        """Until somebody hung up. :raises Missing:"""

        async def look() -> CallRecord | None:
            return call if call.end else None

        return await patiently("end of the call", look)


async def alice_writes(stage: Stage) -> Evidence:
    stage.sent = await stage.device.message(f"tel:{BOB_LINE}", TEXT)
    line = await stage.trails.message(stage.message_id, "received")
    answer = stage.sip_answer()
    return {"ok": answer == "SIP/2.0 202 Accepted", "device log": answer, "trail": line["what"]}


async def server_chooses(stage: Stage) -> Evidence:
    line = await stage.trails.message(stage.message_id, "selected")
    notes = candidate(line, NETWORK)["notes"]
    number = next(note for note in notes if note["rule"] == "number")
    ok = line["data"]["chosen"]["network"] == NETWORK and number["kept"] and "fixed" in number["evidence"]
    return {"ok": ok, "trail": {"why": line["what"], "address": fact(line, "address"), NETWORK: notes}}


async def server_calls(stage: Stage) -> Evidence:
    stage.call = call = await stage.call_of(BOB_LINE, lambda call: not call.dialled_by_line)
    return {
        "ok": call.caller == CENTRE.lstrip("+"),
        "exchange log": f"call from {call.caller} to {call.called}; the handset knows the number and answers",
    }


async def frames_pass(stage: Stage) -> Evidence:
    assert stage.call is not None
    call = await stage.over(stage.call)
    spoken = [t.frame[:2] for t in call.trace]
    again = "92" in spoken and spoken.count("91") > 1 if stage.spoilt else spoken == ["93", "91", "95", "94"]
    return {
        "ok": again and call.end == "released",
        "frames": [f"{t.at:.2f} s {_who(t.what)} {_NAMES.get(t.frame[:2], '')} {t.frame}" for t in call.trace],
        **_sound(call),
    }


async def handset_shows(stage: Stage) -> Evidence:
    text = await stage.world.handset.wait_text(stage.texts_before, PATIENCE)
    ok = text.text == TEXT and text.sender == ALICE_NUMBER
    return {"ok": ok, "handset": {"text": text.text, "from": text.sender, "segments": text.segments}}


async def alice_is_told(stage: Stage) -> Evidence:
    line = await stage.trails.message(stage.message_id, "delivered")
    told = await stage.told("delivered", stage.message_id)
    return {
        "ok": line["what"].startswith("ACK of the SMS terminal"),
        "trail": line["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
    }


async def bob_answers(stage: Stage) -> Evidence:
    sent = stage.world.handset.reply(REPLY)
    await stage.world.handset.wait_sent(sent, PATIENCE)
    call = await stage.over(await stage.call_of(BOB_LINE, lambda call: call.dialled_by_line))
    return {
        "ok": sent.status == "accepted" and call.called == CENTRE,
        "handset": {"text": sent.text, "to": sent.to, "status": sent.status},
        "frames": [f"{t.at:.2f} s {_who(t.what)} {_NAMES.get(t.frame[:2], '')} {t.frame}" for t in call.trace],
        **_sound(call),
    }


async def answer_arrives(stage: Stage) -> Evidence:
    message = await stage.trails.received(PEER, REPLY)
    stage.reply = message["id"]
    line = await stage.trails.message(stage.reply, "received")
    return {"ok": message["from"] == f"tel:{BOB_LINE}" and message["origin"] == NETWORK, "trail": line["what"]}


async def answer_shows(stage: Stage) -> Evidence:
    assert stage.sent is not None
    shown = await stage.device.journal.wait("message", lambda e: e.what == REPLY and e.at >= stage.since, PATIENCE)
    line = await stage.trails.message(stage.reply, "delivered")
    same = shown.facts["conversation"] == stage.sent.conversation_id
    return {
        "ok": same and shown.facts["sender"] == f"tel:{BOB_LINE}",
        "device log": shown.what,
        "the conversation of Alice's text": same,
        "trail": line["what"],
    }


async def nobody_understands(stage: Stage) -> Evidence:
    stage.lost = await stage.device.message(f"tel:{OLD_LINE}", LOST)
    call = await _old_call(stage)
    line = await stage.trails.message(stage.lost.message_id, "selected")
    return {"ok": call.samples > 0, "trail": line["what"], "exchange log": "an ordinary telephone: a person answers"}


async def _old_call(stage: Stage) -> CallRecord:
    async def look() -> CallRecord | None:
        calls = stage.world.exchange.log
        found = [c for c in calls if c.called.endswith(OLD_LINE[1:]) and c.at >= stage.since and c.samples]
        return found[-1] if found else None

    return await patiently("call to the line without a terminal", look)


async def reason_is_clear(stage: Stage) -> Evidence:
    assert stage.lost is not None
    line = await stage.trails.message(stage.lost.message_id, "failed")
    told = await stage.told("failed", stage.lost.message_id)
    clear = "there is no SMS terminal on this line: a voice or music answered" in line["what"]
    return {
        "ok": clear,
        "trail": line["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
        **_sound(await _old_call(stage)),
    }


_NAMES = {"91": "DATA", "92": "ERROR", "93": "EST", "94": "REL", "95": "ACK", "96": "NACK"}


def _who(what: str) -> str:
    return {"said": "the line:", "heard": "the server:"}.get(what, what + ":")


def _sound(call: CallRecord) -> Line:
    """The call's real samples, in figures."""
    heard, said = call.heard(), call.said()
    return {
        "sound": {
            "seconds": round(call.seconds, 2),
            "samples each way": call.samples,
            "heard by the line, dBm0": _level(heard),
            "said by the line, dBm0": _level(said),
        }
    }


def _level(samples: Samples) -> float | None:
    """Of the parts that are not silent."""
    loud = samples[np.abs(samples) > 100].astype(np.float64)
    if not len(loud):
        return None
    return round(float(20 * np.log10(np.sqrt(np.mean(loud**2)) * np.sqrt(2) / 32768)) + _FULL_SCALE, 1)
