"""Texts read out to whoever answers a telephone line, by an engine that the operator installs: off unless configured,
and meant to come after SMS to the line in the order of networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.interfaces import Connector, Context

from .connector import SpeechConnector
from .settings import read


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """The entry point of ``[networks.<name>]`` with ``type = "speech"``. Raises ValueError that says what to mend."""
    return SpeechConnector(read(settings), context)
