"""How this SMSC names messages and writes receipts: the dialects of live ones, selectable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from opencpm.protocols.smpp.receipt import State, receipt_text
from opencpm.protocols.smpp.short_message import RECEIPT, ShortMessage
from opencpm.protocols.smpp.tlv import Tag

IdForm = Literal["hex", "HEX", "decimal", "padded"]


def written(number: int, form: IdForm) -> str:
    """A message's number as an id."""
    if form == "hex":
        return f"{number:x}"
    if form == "HEX":
        return f"{number:X}"
    return f"{number:010}" if form == "padded" else str(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptStyle:
    """``response`` and ``receipt`` are the id's forms; ``text`` and ``tlvs`` what a receipt carries;
    ``early`` receipts go out before the response; ``enroute`` sends an intermediate one first."""

    response: IdForm = "hex"
    receipt: IdForm = "hex"
    text: bool = True
    tlvs: bool = False
    early: bool = False
    enroute: bool = False


def receipt_of(submitted: ShortMessage, number: int, state: State, style: ReceiptStyle) -> ShortMessage:
    """The receipt for a submitted message: its ends are swapped."""
    message_id = written(number, style.receipt)
    stamp = time.strftime("%y%m%d%H%M", time.gmtime())
    error = "000" if state in (State.DELIVERED, State.ENROUTE) else "001"
    text = receipt_text(message_id, state, stamp, stamp, error, b"") if style.text else b""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if style.tlvs:
        tlvs = (
            (int(Tag.RECEIPTED_MESSAGE_ID), message_id.encode() + b"\0"),
            (int(Tag.MESSAGE_STATE), bytes((state,))),
        )
    return ShortMessage(
        source=submitted.destination,
        destination=submitted.source,
        message=text,
        source_ton=submitted.destination_ton,
        source_npi=submitted.destination_npi,
        destination_ton=submitted.source_ton,
        destination_npi=submitted.source_npi,
        esm_class=RECEIPT,
        tlvs=tlvs,
    )
