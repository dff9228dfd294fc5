"""The Yahoo interworking function (entry point `yahoo` of `opencpm.networks`)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from opencpm.interfaces import Connector, Context
from opencpm.interworking.yahoo.connector import YahooConnector
from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.interworking.yahoo.web import tls_context


def build(settings: Mapping[str, Any], context: Context) -> Connector:
    """Make the connector. Raises ValueError with a sentence that says what to mend."""
    try:
        known = YahooSettings.model_validate(dict(settings))
    except ValidationError as error:
        raise ValueError(_sentence(error)) from error
    try:
        tls = tls_context(known)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"ca_file {known.ca_file!r} cannot be used: {error}") from error
    return YahooConnector(known, context, tls)


def _sentence(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()
    )
