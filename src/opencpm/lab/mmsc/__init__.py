"""A stand-in MMS centre on real sockets, with phones that have a content class, a log of operations, faults on demand.

    async with LabMmsc(vasps={"vas1": "sesame"}) as mmsc:
        bob = mmsc.phone("+12025550101", "image-rich")
        mmsc.reach("http://127.0.0.1:8082/mm7", "mmsc", "secret")   # where the service listens
        ...                                    # it submits to mmsc.url
        mm = await bob.wait_mm()
        await bob.read(mm)                     # a read report, if one was asked for
        await bob.send("And this is me", [("me.jpg", "image/jpeg", octets)], to=mm.sender)
        mmsc.faults.refuse["+12025550101"] = 4007
        mmsc.log.of("SubmitReq")               # evidence

It is as strict about elements, their order and namespaces as real centres are, answers in its own release, and reports
Forwarded before anything was retrieved, as has been seen. Loopback only.
"""

from .faults import Faults
from .happenings import Happening
from .log import Line, Log
from .phone import CLASSES, Mm, Phone, Sent, Shown
from .service import LabMmsc

__all__ = ["CLASSES", "Faults", "Happening", "LabMmsc", "Line", "Log", "Mm", "Phone", "Sent", "Shown"]
