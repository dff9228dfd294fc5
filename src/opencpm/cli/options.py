"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opencpm.cli.errors import Failure

if TYPE_CHECKING:
    from opencpm.domain.subscriber import Subscriber
    from opencpm.messaging.directory import StoredDirectory
    from opencpm.settings import Settings
    from opencpm.storage.sqlite import SqliteStore

Function = TypeVar("Function", bound=Callable[..., Any])
Result = TypeVar("Result")

TOKEN_VARIABLE = "OPENCPM_TOKEN"  # noqa: S105 - a name
PASSWORD_VARIABLE = "OPENCPM_PASSWORD"  # noqa: S105 - a name


def config_option(function: Function) -> Function:
    return click.option(
        "--config",
        "-c",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The settings file.  [default: $OPENCPM_CONFIG, else opencpm.toml]",
    )(function)


def json_option(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def load_settings(config: Path | None) -> Settings:
    """:raises SettingsError: said in one sentence by the command line."""
    from opencpm.settings import default_path, load

    return load(config or default_path())


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def with_people(config: Path | None, do: Callable[[StoredDirectory, SqliteStore], Result]) -> Result:
    """Open the store of the settings, do something with the people in it, close it. A running server notices."""
    import asyncio

    from opencpm.app.people import opened

    async def within() -> Result:
        async with opened(load_settings(config)) as (store, directory):
            return do(directory, store)

    return asyncio.run(within())


def run(duty: Awaitable[Result]) -> Result:
    import asyncio

    async def awaited() -> Result:
        return await duty

    return asyncio.run(awaited())


def secret(what: str, variable: str = PASSWORD_VARIABLE, confirm: bool = True) -> str:
    """A secret from the environment, from stdin where that is no terminal, or asked for. Never from argv, which every
    process of the machine can read."""
    found = os.environ.get(variable)
    if found:
        return found
    if not sys.stdin.isatty():
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise Failure(f"no {what} given", f"Put it on stdin, or in the variable {variable}.")
        return line
    answer: str = click.prompt(what, hide_input=True, confirmation_prompt=confirm)
    return answer


def known(people: StoredDirectory, name: str) -> Subscriber:
    """:raises Failure: no such user."""
    subscriber = people.subscriber(name)
    if subscriber is None:
        raise Failure(f"there is no user {name}", "`opencpm user list` shows who there is.")
    return subscriber
