"""Delivery receipts: the text of SMPP 3.4 appendix B in all its dialects, and the optional parameters
(§5.3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from .short_message import ShortMessage
from .tlv import Tag, int_of, text_of, value_of


class State(IntEnum):
    """message_state (§5.2.28; SCHEDULED and SKIPPED are of 5.0)."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


FINAL = frozenset({State.DELIVERED, State.EXPIRED, State.DELETED, State.UNDELIVERABLE, State.REJECTED, State.SKIPPED})
"""States after which nothing follows. ACCEPTED is intermediate in real traffic, whatever the standard says.
"""

# The first letters decide: full words, seven-letter cuts and the standard's own all begin alike.
_STATES: Mapping[str, State] = {
    "SCHED": State.SCHEDULED,
    "ENROU": State.ENROUTE,
    "BUFFE": State.ENROUTE,
    "DELIV": State.DELIVERED,
    "EXPIR": State.EXPIRED,
    "DELET": State.DELETED,
    "UNDEL": State.UNDELIVERABLE,
    "FAILE": State.UNDELIVERABLE,
    "NO RO": State.UNDELIVERABLE,
    "NOROU": State.UNDELIVERABLE,
    "ACCEP": State.ACCEPTED,
    "UNKNO": State.UNKNOWN,
    "REJEC": State.REJECTED,
    "SKIPP": State.SKIPPED,
}
STAT_TEXT: Mapping[State, str] = {
    State.ENROUTE: "ENROUTE",
    State.DELIVERED: "DELIVRD",
    State.EXPIRED: "EXPIRED",
    State.DELETED: "DELETED",
    State.UNDELIVERABLE: "UNDELIV",
    State.ACCEPTED: "ACCEPTD",
    State.UNKNOWN: "UNKNOWN",
    State.REJECTED: "REJECTD",
    State.SKIPPED: "SKIPPED",
}
"""What `stat:` says in the text form."""


class Receipt(NamedTuple):
    """What an SMSC says about one submitted message.

    ``state`` is None for a word nobody knows; ``error`` is the text of ``err:``; ``network_error`` the
    octets of network_error_code. ``detail`` repeats the claim in short for the operator.
    """

    message_id: str
    state: State | None
    error: str = ""
    network_error: bytes = b""
    submit_date: str = ""
    done_date: str = ""

    @property
    def detail(self) -> str:
        state = "?" if self.state is None else STAT_TEXT.get(self.state, self.state.name)
        return f"stat:{state} err:{self.error or '-'}"


_MAX_TEXT = 1024
_END_OF_FIELDS = re.compile(rb"\btext\s*:", re.IGNORECASE)
_KEY = re.compile(r"(?:\A|(?<=[\s;,]))(id|sub|dlv?r?d|submit[ _]?date|done[ _]?date|stat|err)\s*:[ \t]*", re.IGNORECASE)
# The form of appendix B to the letter, which is what most centres send: one match instead of a search for each key.
_CLASSIC = re.compile(
    rb"id:(\S{1,64}) sub:\d+ dlvrd:\d+ submit date:(\d{10,14}) done date:(\d{10,14}) stat:([A-Z]{1,7}) err:(\w{1,4})"
    rb"(?: [Tt]ext:|\Z)"
)
_RECEIPT_TEXT = re.compile(rb"\s*id:\s*\S+.*\bstat:\s*\w+", re.IGNORECASE | re.DOTALL)


def looks_like_receipt(sm: ShortMessage) -> bool:
    """Whether a message that esm_class calls ordinary reads like a receipt; its id decides whether it is one."""
    return value_of(sm.tlvs, Tag.RECEIPTED_MESSAGE_ID) is not None or bool(_RECEIPT_TEXT.match(sm.content[:_MAX_TEXT]))


def parse_receipt(sm: ShortMessage) -> Receipt | None:
    """The receipt in a deliver_sm or data_sm, from optional parameters and text; None if it names no message."""
    fields = text_fields(sm.content)
    message_id = text_of(sm.tlvs, Tag.RECEIPTED_MESSAGE_ID) or fields.get("id", "")
    if not message_id.strip():
        return None
    number = int_of(sm.tlvs, Tag.MESSAGE_STATE)
    state = state_of(fields.get("stat", ""))
    if number is not None and number <= State.SKIPPED:
        state = State(number)
    return Receipt(
        message_id.strip(),
        state,
        fields.get("err", ""),
        value_of(sm.tlvs, Tag.NETWORK_ERROR_CODE) or b"",
        fields.get("submitdate", ""),
        fields.get("donedate", ""),
    )


def text_fields(content: bytes) -> dict[str, str]:
    """The fields before ``text:``, by lower-case name without blanks; what follows is in any coding and
    not read.
    """
    if classic := _CLASSIC.match(content):
        message_id, submitted, ended, state, error = classic.groups()
        return {
            "id": message_id.decode("latin-1"),
            "submitdate": submitted.decode(),
            "donedate": ended.decode(),
            "stat": state.decode(),
            "err": error.decode("latin-1"),
        }
    head = _END_OF_FIELDS.split(content[:_MAX_TEXT], maxsplit=1)[0].decode("latin-1")
    keys = list(_KEY.finditer(head))
    fields: dict[str, str] = {}
    ends = [key.start() for key in keys[1:]] + [len(head)]
    for key, end in zip(keys, ends, strict=False):
        value = head[key.end() : end]
        name = key[1].lower().replace(" ", "").replace("_", "")
        fields.setdefault(name, value.strip(" \t\r\n;,\0"))
    return fields


def state_of(word: str) -> State | None:
    """The state that a ``stat:`` word means, or None."""
    return _STATES.get(word.strip().upper()[:5])


def receipt_text(
    message_id: str, state: State, submit_date: str, done_date: str, error: str = "000", text: bytes = b""
) -> bytes:
    """The text form of appendix B, as an SMSC writes it; dates are YYMMDDhhmm."""
    delivered = "001" if state is State.DELIVERED else "000"
    head = (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submit_date} done date:{done_date}"
        f" stat:{STAT_TEXT.get(state, state.name[:7])} err:{error} text:"
    )
    return head.encode("latin-1") + text[:20]
