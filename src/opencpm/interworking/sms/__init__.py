"""SMS: the Interworking Function towards mobile and fixed networks, as an ESME over SMPP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context

from .connector import SmsConnector
from .settings import read


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "sms"``. Raises ValueError that says what to
    mend.
    """
    return SmsConnector(read(settings), context)
