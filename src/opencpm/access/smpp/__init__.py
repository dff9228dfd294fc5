"""SMPP server: ESMEs bind to us with a subscriber's name and password, and submit into the CPM core."""

from __future__ import annotations

from opencpm.interfaces import Connector, Context, Store
from opencpm.settings import SmppSettings

from .connector import SmppConnector


def build(settings: SmppSettings, context: Context, *, store: Store) -> Connector:
    """The connector of ``[smpp]``. ``store`` answers query_sm."""
    return SmppConnector(settings, context, store)


__all__ = ["SmppConnector", "build"]
