"""Messages to Internet mail and back: MM3 (3GPP TS 23.140 §6.7) in the form of RFC 4356, over SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context
from opencpm.interworking.mms.settings import read

from .connector import Mm3Connector
from .settings import Mm3Settings


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "mm3"``. Raises ValueError that says what to mend."""
    return Mm3Connector(read(Mm3Settings, settings), context)
