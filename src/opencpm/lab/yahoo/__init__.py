"""A stand-in for a Yahoo! Messenger service: YMSG 9 to 16 with the login host, people to talk to, faults on demand."""

from opencpm.lab.yahoo.buddy import Buddy, Invited
from opencpm.lab.yahoo.faults import Faults
from opencpm.lab.yahoo.log import Line, PacketLog
from opencpm.lab.yahoo.service import LabYahoo

__all__ = ["Buddy", "Faults", "Invited", "LabYahoo", "Line", "PacketLog"]
