"""What a user prefers."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencpm.cli.errors import USAGE, Failure
from opencpm.cli.options import config_option, json_option, known, print_json, with_people

if TYPE_CHECKING:
    from opencpm.domain.subscriber import Preferences
    from opencpm.messaging.directory import StoredDirectory
    from opencpm.storage.sqlite import SqliteStore


@click.group()
def preferences() -> None:
    """Users' preferences."""


@preferences.command("set")
@click.argument("user")
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE...")
@config_option
def set_(user: str, values: tuple[str, ...], config: Path | None) -> None:
    """Change USER's preferences; lists are written with commas.

    \b
    opencpm preferences set alice networks=sms,msn max_segments=3
    opencpm preferences set alice session_feedback=errors when_unavailable=reject
    """

    def put(people: StoredDirectory, _: SqliteStore) -> None:
        old = known(people, user).preferences
        people.set_preferences(user, replace(old, **dict(_value(old, text) for text in values)))

    with_people(config, put)
    click.echo(f"{user}'s preferences are changed; they hold from the next message on")


@preferences.command()
@click.argument("user")
@config_option
@json_option
def show(user: str, config: Path | None, as_json: bool) -> None:
    """Show USER's preferences.

    \b
    opencpm preferences show alice
    """
    found = with_people(config, lambda people, _: known(people, user).preferences)
    shown = {field.name: _shown(getattr(found, field.name)) for field in fields(found)}
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name:<18} {', '.join(value) if isinstance(value, list) else value}")


def _shown(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value


def _value(old: Preferences, text: str) -> tuple[str, Any]:
    """``max_segments=3`` as name and value, by the kind of the old value."""
    name, equals, value = text.partition("=")
    names = [field.name for field in fields(old)]
    if not equals or name not in names:
        raise Failure(f"{text!r} is no preference", f"Write NAME=VALUE; there are {', '.join(names)}.", USAGE)
    was = getattr(old, name)
    try:
        return name, _read(was, value)
    except ValueError as error:
        raise Failure(f"{name} cannot be {value!r}", str(error), USAGE) from error


def _read(was: Any, value: str) -> Any:
    if isinstance(was, bool):
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        if value.lower() not in words:
            raise ValueError("Write yes or no.")
        return words[value.lower()]
    if isinstance(was, tuple | frozenset):
        return type(was)(part.strip() for part in value.split(",") if part.strip())
    if isinstance(was, int):
        return int(value)
    kind = type(was)
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"It can be {', '.join(one.value for one in kind)}.") from None
