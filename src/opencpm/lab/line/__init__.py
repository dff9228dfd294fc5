"""A stand-in telephone network on loopback SIP and RTP: a gateway with lines, handsets that decode real audio, a
foreign SMS centre, an exact log and faults on demand.

    async with LabExchange() as exchange:
        bob = exchange.handset("+12025550155", centre="+12025550199")
        exchange.line("+12025550156", Manner.VOICE)
        exchange.connect(server_address)       # where the lines' calls go
        text = await bob.wait_text()
        bob.send("on my way", to=text.sender)
        exchange.log.calls[-1].trace           # frames, with the second at which they were heard or said

Loopback only.
"""

from .audio import Manner
from .centre import LabCentre
from .exchange import LabExchange
from .faults import Faults
from .handset import Handset, SentText, Text
from .log import CallLog, CallRecord
from .trunk import trunk_to

__all__ = [
    "CallLog",
    "CallRecord",
    "Faults",
    "Handset",
    "LabCentre",
    "LabExchange",
    "Manner",
    "SentText",
    "Text",
    "trunk_to",
]
