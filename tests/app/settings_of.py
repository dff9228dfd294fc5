"""Settings of a small server on free ports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opencpm.settings import Settings, parse


def small(folder: Path, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "domain": "cpm.test",
        "secret_key": "k" * 43,
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0, "trust_flows": ["udp", "tcp"]},
        "web": {"port": 0},
    }
    return parse({**values, **more}, folder)
