"""The composition root: builds every object from settings, and nothing else does.

app = build(settings)
async with app.running():
    app.endpoints["web"]["http"]
"""

from __future__ import annotations

from opencpm.app.server import App
from opencpm.app.supervision import StartError
from opencpm.settings import Settings

__all__ = ["App", "StartError", "build"]


def build(settings: Settings) -> App:
    """A server, not started yet."""
    return App(settings)
