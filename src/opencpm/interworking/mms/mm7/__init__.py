"""MMS over MM7: the Interworking Function as a value-added service (VASP) of an operator's MMS centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context
from opencpm.interworking.mms.settings import read

from .connector import Mm7Connector
from .settings import Mm7Settings


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "mm7"``. Raises ValueError that says what to mend."""
    return Mm7Connector(read(Mm7Settings, settings), context)
