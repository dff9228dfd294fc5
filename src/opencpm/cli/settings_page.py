"""The reference page of the settings, made from their own descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from opencpm.cli.options import print_json


@click.command("settings")
@click.option("--markdown", "form", flag_value="markdown", default=True, help="As a page for the docs (the default).")
@click.option("--schema", "form", flag_value="schema", help="As a JSON schema.")
def settings(form: str) -> None:
    """Print all settings with their meaning.

    \b
    opencpm settings --markdown > docs/settings.md
    """
    from opencpm.settings import Settings

    if form == "schema":
        print_json(Settings.model_json_schema())
    else:
        click.echo("\n".join(page(Settings)))


def page(model: type[BaseModel]) -> list[str]:
    """The page as lines of Markdown."""
    lines = [
        "# Settings",
        "",
        "One TOML file: `--config`, else `$OPENCPM_CONFIG`, else `opencpm.toml` in the current folder. A name that",
        "is not listed here is an error. Relative paths start at the file's folder. `opencpm quickstart` writes one.",
        "",
        "Made by `opencpm settings --markdown`; do not edit.",
    ]
    for title, section in sections(model):
        lines += _table(title, section)
    for kind, section in networks():
        lines += _table(f'`[networks.<name>]` with `type = "{kind}"`: `{section.__name__}`', section)
    return lines


def _table(title: str, section: type[BaseModel]) -> list[str]:
    lines = ["", f"## {title}", "", (section.__doc__ or "").strip(), ""]
    lines += ["| name | kind | default | meaning |", "|---|---|---|---|"]
    return lines + [_row(name, field) for name, field in section.model_fields.items() if inner(field) is None]


def networks() -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections of every installed kind of network: the models of its room's ``settings`` module."""
    from opencpm.app.networks import installed

    for kind, point in sorted(installed().items()):
        try:
            module = import_module(f"{point.module}.settings")
        except ModuleNotFoundError:  # a room of somebody else's may keep them elsewhere
            continue
        for found in vars(module).values():
            own = isinstance(found, type) and issubclass(found, BaseModel) and found.__module__ == module.__name__
            if own and not found.__name__.startswith("_"):
                yield kind, found


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table with its title: ``[sip]``, ``[[policy.routes]]``."""
    yield (f"`[{prefix}]`" if prefix else "Top level"), model
    for name, field in model.model_fields.items():
        found = inner(field)
        if found is None:
            continue
        path = f"{prefix}.{name}" if prefix else name
        nested = field.annotation is not found  # a list or a table of tables
        if nested and str(field.annotation).startswith("dict"):
            yield f"`[{path}.<name>]`", found
        elif nested:
            yield f"`[[{path}]]`", found
        else:
            yield from sections(found, path)


def inner(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a field holds, or a list of."""
    candidates: tuple[Any, ...] = (field.annotation, *getattr(field.annotation, "__args__", ()))
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _row(name: str, field: FieldInfo) -> str:
    cells = [f"`{name}`", _kind(field.annotation), _default(field), field.description or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(annotation: Any) -> str:
    text = str(annotation)
    for part, word in _KINDS:
        if part in text:
            return word
    return "text"


_KINDS = (
    ("dict", "table"),
    ("tuple", "list"),
    ("frozenset", "list"),
    ("Literal", "choice"),
    ("bool", "true or false"),
    ("int", "number"),
    ("float", "number"),
    ("Path", "path"),
)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, frozenset):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return f"`[{', '.join(repr(v) if not isinstance(v, str) else chr(34) + v + chr(34) for v in value)}]`"
    if isinstance(value, dict):
        return "`{}`"
    return f"`{value}`" if isinstance(value, int | float) else f'`"{value}"`'
