"""YMSG, the protocol of Yahoo! Messenger, versions 9 to 16, client side: octets in, events and octets out.

Written from recordings (versions 9 and 10) and public descriptions (11 to 16): docs/standards/ymsg.md says which.
"""

from opencpm.protocols.ymsg.client import SignOn, YmsgClient
from opencpm.protocols.ymsg.errors import YmsgError
from opencpm.protocols.ymsg.packet import Framer, Packet

__all__ = ["Framer", "Packet", "SignOn", "YmsgClient", "YmsgError"]
