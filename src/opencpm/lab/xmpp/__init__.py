"""A stand-in for an XMPP server: its port for components on a real socket, and people whom a test or the demo plays."""

from .faults import Faults
from .log import StanzaLine, StanzaLog
from .person import Person, Text
from .service import LabXmpp

__all__ = ["Faults", "LabXmpp", "Person", "StanzaLine", "StanzaLog", "Text"]
