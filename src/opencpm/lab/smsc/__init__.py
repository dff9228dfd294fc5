"""A stand-in SMS centre on real sockets, with handsets, an exact log and faults on demand.

    async with LabSmsc() as smsc:
        bob = smsc.handset("+12025550101")
        ...                                    # an ESME binds to smsc.address and submits
        text = await bob.wait_text()
        bob.send("let us talk", to=text.sender)
        smsc.faults.throttle = 3
        smsc.log.of("submit_sm")               # evidence

Loopback only. ``python -m opencpm.lab.smsc --port 2775`` runs one by itself.
"""

from .faults import Faults
from .handset import Coverage, Handset, SentText, Text
from .happenings import Happening
from .log import PduLine, PduLog
from .receipts import ReceiptStyle
from .service import LabSmsc

__all__ = [
    "Coverage",
    "Faults",
    "Handset",
    "Happening",
    "LabSmsc",
    "PduLine",
    "PduLog",
    "ReceiptStyle",
    "SentText",
    "Text",
]
