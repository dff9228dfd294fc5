"""CPM devices over SIP: registrar, pager mode, sessions."""

from opencpm.access.sip.connector import SipConnector, build

__all__ = ["SipConnector", "build"]
