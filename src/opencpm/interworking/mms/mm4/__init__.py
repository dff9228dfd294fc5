"""MMS over MM4 (3GPP TS 23.140 §6.8, §8.4): we are an MMS centre among others, and exchange messages by SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context
from opencpm.interworking.mms.settings import read

from .connector import Mm4Connector
from .settings import Mm4Settings


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "mm4"``. Raises ValueError that says what to mend."""
    return Mm4Connector(read(Mm4Settings, settings), context)
