"""A stand-in SMS centre that speaks EMI/UCP on real sockets, with phones, a log of frames and faults on demand.

    async with LabUcp() as centre:
        bob = centre.phone("+12025550101")
        ...                                    # a terminal logs in at centre.address and submits
        text = await bob.wait_text()
        bob.send("let us talk", to=text.sender)
        centre.faults.denied = 3
        centre.log.of(51)                      # evidence

Loopback only.
"""

from .faults import Faults
from .log import FrameLine, FrameLog
from .phone import Phone, SentText, Text
from .service import LabUcp

__all__ = ["Faults", "FrameLine", "FrameLog", "LabUcp", "Phone", "SentText", "Text"]
