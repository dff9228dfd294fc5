"""XMPP: the Interworking Function towards any XMPP user, as a component (XEP-0114) of an XMPP server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context

from .connector import XmppConnector
from .settings import read


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "xmpp"``. Raises ValueError that says what to mend."""
    return XmppConnector(read(settings), context)
