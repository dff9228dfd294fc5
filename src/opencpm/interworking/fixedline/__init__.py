"""SMS of the fixed network (ETSI ES 201 912): a modem in telephone calls over a SIP trunk, as service centre and as
terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context

from .connector import FixedLineConnector
from .settings import read


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "fixedline"``. Raises ValueError that says what to
    mend.
    """
    return FixedLineConnector(read(settings), context)
