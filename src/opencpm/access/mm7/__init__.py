"""MM7 server: value-added services submit into the CPM core as to an MMS centre, and get reports and messages."""

from __future__ import annotations

from opencpm.interfaces import Connector, Context, Store
from opencpm.settings import Mm7AccessSettings

from .connector import Mm7Access


def build(settings: Mm7AccessSettings, context: Context, *, store: Store, realm: str) -> Connector:
    """The connector of ``[mm7]``. ``store`` answers which message a VASP answers, cancels or replaces; ``realm`` is the
    one over which passwords are kept (RFC 7616)."""
    return Mm7Access(settings, context, store, realm)


__all__ = ["Mm7Access", "build"]
