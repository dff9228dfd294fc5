"""The server's side of a trunk to the lab's exchange, as settings."""

from __future__ import annotations

from typing import Any

from .exchange import LabExchange


def trunk_to(exchange: LabExchange, centre: str, country_code: str, **settings: Any) -> dict[str, Any]:
    """A network on a trunk to a stand-in exchange, with us as the SMS centre of its lines, under this number."""
    host, port = exchange.address
    return {
        "type": "fixedline",
        "listen_port": 0,
        "host": host,
        "port": port,
        "name": "lab",
        "number": centre,
        "country_code": country_code,
        "max_segments": 3,
        **settings,
    }
