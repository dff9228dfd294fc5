"""SMS over EMI/UCP: the Interworking Function towards SMS centres that speak no SMPP, as a terminal (SMT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context

from .connector import UcpConnector
from .settings import read


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "ucp"``. Raises ValueError that says what to mend."""
    return UcpConnector(read(settings), context)
