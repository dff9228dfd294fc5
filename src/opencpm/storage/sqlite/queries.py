"""The store's SQL, by name, from ``queries.sql``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

_BLOCK = re.compile(r"^-- (name|fragment): (\w+)\n(.*?)(?=^--|\Z)", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"\{(\w+)\}")


def parse(text: str) -> Mapping[str, str]:
    """The statements of a query file, with their fragments put in.

    :raises KeyError: a statement names a fragment that does not stand before it.
    """
    fragments: dict[str, str] = {}
    named: dict[str, str] = {}
    for kind, name, body in _BLOCK.findall(text):
        whole = _PLACE.sub(lambda place: fragments[place[1]], body.strip())
        (fragments if kind == "fragment" else named)[name] = whole
    return MappingProxyType(named)


SQL = parse(resources.files(__package__).joinpath("queries.sql").read_text("utf-8"))
"""Statement by name."""
