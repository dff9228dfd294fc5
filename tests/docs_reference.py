"""The pages under docs/reference, made from the program itself. Write them: `python -m tests.docs_reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from opencpm.cli import main
from opencpm.cli.settings_page import page
from opencpm.settings import Settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "Made by `python -m tests.docs_reference`; do not edit."


def settings_page() -> str:
    """What `opencpm settings --markdown` prints."""
    return "\n".join(page(Settings)) + "\n"


def commands_page() -> str:
    lines = ["# Commands", "", "What `opencpm <command> --help` says, on one page.", "", MADE]
    for path, command in commands(main):
        wants = [piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"]
        lines += ["", f"## opencpm {' '.join([*path, *wants])}", "", *_about(command)]
        options = [p for p in command.params if isinstance(p, click.Option) and p.name != "help"]
        if options:
            lines += ["", "| option | meaning |", "|---|---|", *map(_option, options)]
    return "\n".join(lines) + "\n"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with its names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def _about(command: click.Command) -> Iterator[str]:
    """The help text; what stands after a \\b is an example."""
    text, _, example = (command.help or "").partition("\b")
    yield " ".join(text.split())
    lines = [line.strip() for line in example.strip().splitlines()]
    if lines:
        yield from ["", "```sh", *lines, "```"]


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    if isinstance(option.type, click.Choice):
        names += " " + " \\| ".join(option.type.choices)
    elif not option.is_flag:
        names += f" {option.metavar or option.type.name}"
    words = [" ".join((option.help or "").split())]
    if option.show_default and _is_plain(option.default):
        words.append(f"[default: {option.default}]")
    return f"| {names} | {' '.join(words)} |"


def _is_plain(default: Any) -> bool:
    return isinstance(default, str | int | float) and not isinstance(default, bool)


PAGES = {"settings.md": settings_page, "commands.md": commands_page}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
