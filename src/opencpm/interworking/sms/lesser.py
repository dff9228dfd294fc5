"""What an SMSC refuses may go once more with less: without a receipt, without a validity, in another alphabet. Pure."""

from __future__ import annotations

from opencpm.protocols.gsm import alphabet, ucs2
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.status import RINVDCS, RINVEXPIRY, RINVREGDLVFLG

_OCTETS = 140
_UCS2 = 0x08


def lesser(status: int, sm: ShortMessage) -> ShortMessage | None:
    """The same short message without what this command_status objects to; None: there is nothing to leave out."""
    if status == RINVREGDLVFLG and sm.registered_delivery:
        return sm._replace(registered_delivery=0)
    if status == RINVEXPIRY and sm.validity:
        return sm._replace(validity="")
    if status == RINVDCS and not sm.data_coding and not sm.esm_class and not sm.tlvs:
        octets = ucs2.encode(alphabet.decode(sm.message))
        return sm._replace(message=octets, data_coding=_UCS2) if len(octets) <= _OCTETS else None
    return None
