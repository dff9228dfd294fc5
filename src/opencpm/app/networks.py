"""Foreign networks by their entry points: a new one needs no line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from opencpm.interfaces import Connector, Context
from opencpm.settings import SettingsError

GROUP = "opencpm.networks"

Builder = Callable[[Mapping[str, Any], Context], Connector]


def installed() -> dict[str, EntryPoint]:
    """The kinds of networks that can be configured."""
    return {point.name: point for point in entry_points(group=GROUP)}


def build_network(settings: Mapping[str, Any], context: Context) -> Connector:
    """The connector for ``[networks.<name>]``.

    :raises SettingsError: no such kind of network, or settings it cannot use.
    """
    kinds = installed()
    point = kinds.get(settings["type"])
    if point is None:
        raise SettingsError(
            [
                f"networks.{context.name}.type: there is no network of type {settings['type']!r}; "
                f"installed: {', '.join(sorted(kinds)) or 'none (reinstall opencpm)'}"
            ]
        )
    build: Builder = point.load()
    try:
        return build({name: value for name, value in settings.items() if name != "type"}, context)
    except ValueError as error:
        raise SettingsError([f"networks.{context.name}: {error}"]) from error
