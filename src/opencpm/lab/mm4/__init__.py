"""A stand-in peer MMS centre that speaks MM4 over SMTP on real sockets, with handsets, a log of mails, and faults.

    async with LabMm4() as mmsc:
        mmsc.reach("127.0.0.1", 2525)          # where our server listens
        bob = mmsc.handset("+447700900123")
        ...                                    # our server forwards to mmsc.address
        mms = await bob.wait_mms()
        bob.send(["let us talk", picture], to=mms.sender)
        mmsc.faults.refuse.append("Error-content-not-accepted")
        mmsc.log.of("MM4_forward.REQ")         # evidence

Loopback only.
"""

from .faults import Faults, Quirks
from .handset import Handset, Mms, Parts, SentMms
from .log import MailLine, MailLog
from .service import LabMm4

__all__ = ["Faults", "Handset", "LabMm4", "MailLine", "MailLog", "Mms", "Parts", "Quirks", "SentMms"]
