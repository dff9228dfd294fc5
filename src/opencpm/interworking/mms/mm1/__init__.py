"""MMS over MM1 (OMA MMS ENC, CTR): we are the MMS centre of phones, which fetch from us and send to us over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context
from opencpm.interworking.mms.settings import read

from .connector import Mm1Connector
from .settings import Mm1Settings


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "mm1"``. Raises ValueError that says what to mend."""
    return Mm1Connector(read(Mm1Settings, settings), context)
