"""The composition root: builds every object from settings, and nothing else does.

app = build(settings)
async with app.running():
    app.endpoints["web"]["http"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opencpm.app.supervision import StartError
from opencpm.settings import Settings

if TYPE_CHECKING:
    from opencpm.app.server import App

__all__ = ["StartError", "build"]


def build(settings: Settings) -> App:
    """A server, not started yet."""
    from opencpm.app.server import App  # here: commands that only look at the store need none of it

    return App(settings)
