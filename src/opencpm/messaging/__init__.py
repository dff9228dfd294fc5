"""The use cases: accept, dispatch, report, session. Knows no wire."""

from opencpm.messaging.service import Messaging

__all__ = ["Messaging"]
