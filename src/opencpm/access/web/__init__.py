"""The web access: HTTP API, events, and the page. ``build`` is all the composition root needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from opencpm.access.web.application import application
from opencpm.access.web.connector import WebConnector
from opencpm.access.web.desk import FileDesk
from opencpm.access.web.guard import Tickets
from opencpm.access.web.house import House
from opencpm.access.web.needs import People, UseCases
from opencpm.interfaces import Context
from opencpm.protocols.logins import Logins
from opencpm.transport.http_server import Server

__all__ = ["FileDesk", "build", "house_of"]


class Settings(Protocol):
    """What this room reads of the web settings. ``demo`` (a mapping or a JSON file's path) and ``operators`` may be
    missing."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def allowed_origins(self) -> Any: ...


def build(settings: Settings, context: Context, *, messaging: UseCases, files: FileDesk | None = None) -> WebConnector:
    """The connector "web" with its server, not yet listening.

    :raises ValueError: the demo's file is not what it should be.
    """
    connector = WebConnector(context, messaging)
    house = house_of(
        connector,
        context,
        operators=frozenset(getattr(settings, "operators", None) or ()),
        demo=_demo(getattr(settings, "demo", None)),
        desk=files,
    )
    app = application(house, tuple(settings.allowed_origins or ()))
    connector.server = Server(app, settings.host, settings.port, connector.stopping)
    return connector


def house_of(
    connector: WebConnector,
    context: Context,
    *,
    operators: frozenset[str] = frozenset(),
    demo: Mapping[str, Any] | None = None,
    desk: FileDesk | None = None,
) -> House:
    """What the API's functions share."""
    return House(
        messaging=connector.messaging,
        people=cast(People, connector.messaging.directory),
        connector=connector,
        clock=context.clock,
        ids=context.ids,
        logins=Logins(),
        tickets=Tickets(),
        operators=operators,
        demo=demo,
        desk=desk,
    )


def _demo(setting: Any) -> Mapping[str, Any] | None:
    if not setting:
        return None
    if isinstance(setting, Mapping):
        return setting
    if hasattr(setting, "model_dump"):
        return cast("Mapping[str, Any]", setting.model_dump(exclude_none=True))
    try:
        card = json.loads(Path(str(setting)).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"web.demo: {setting} cannot be read as JSON: {error}") from error
    if not isinstance(card, dict):
        raise ValueError(f"web.demo: {setting} must hold one JSON object")
    return card
