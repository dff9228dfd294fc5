"""The pages under docs/reference, made from the program itself. Write them: `python -m tests.docs_reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from opencpm.cli import main
from opencpm.cli.settings_page import _default, _kind, page
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.sms.settings import LinkSettings, SmsSettings
from opencpm.settings import Settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "Made by `python -m tests.docs_reference`; do not edit."

NETWORKS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ('`type = "sms"`', "SMS over SMPP. With one link its settings may stand here, too.", SmsSettings),
    ("`[[networks.<name>.links]]` of an SMS network", "One connection to an SMS centre (SMSC).", LinkSettings),
    ('`type = "msn"`', "A service that speaks MSNP12 or MSNP8.", MsnSettings),
)


def settings_page() -> str:
    """What `opencpm settings --markdown` prints."""
    return "\n".join(page(Settings)) + "\n"


def networks_page() -> str:
    lines = [
        "# Settings of networks",
        "",
        "Each foreign network is a section `[networks.<name>]`. The name is yours; routes and preferences use it.",
        "The other sections are in [settings.md](settings.md).",
        "",
        MADE,
    ]
    for title, about, model in NETWORKS:
        lines += ["", f"## {title}", "", about, "", "| name | kind | default | meaning |", "|---|---|---|---|"]
        lines += [_setting(name, field) for name, field in model.model_fields.items()]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    lines = ["# Commands", "", "What `opencpm <command> --help` says, on one page.", "", MADE]
    for path, command in commands(main):
        wants = [piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"]
        lines += ["", f"## opencpm {' '.join([*path, *wants])}", "", *_about(command)]
        options = [p for p in command.params if isinstance(p, click.Option) and p.name != "help"]
        if options:
            lines += ["", "| option | meaning |", "|---|---|", *map(_option, options)]
    return "\n".join(lines) + "\n"


def _setting(name: str, field: FieldInfo) -> str:
    default = field.default
    shown = f"`{sorted(default)}`".replace("'", '"') if isinstance(default, frozenset) else _default(field)
    cells = (f"`{name}`", " or ".join(_choices(field.annotation)) or _kind(field.annotation), shown, field.description)
    return "| " + " | ".join((cell or "").replace("|", "\\|") for cell in cells) + " |"


def _choices(annotation: Any) -> list[str]:
    """What a Literal allows, also inside a list."""
    found = get_args(annotation)
    if all(isinstance(one, str | int) for one in found):
        return [f"`{one}`" for one in found]
    return [choice for one in found for choice in _choices(one)] if "Literal" in str(annotation) else []


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


PAGES = {"settings.md": settings_page, "networks.md": networks_page, "commands.md": commands_page}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
