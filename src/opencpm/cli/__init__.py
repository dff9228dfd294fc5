"""The command ``opencpm``. Thin: each command reads its options, calls the rooms below, and prints."""

from __future__ import annotations

from importlib import import_module

import click

from opencpm.cli.errors import reporting_errors

# name -> (module, attribute): loaded when asked for, so that `opencpm --help` is quick
COMMANDS = {
    "demo": ("demo", "demo"),
    "quickstart": ("quickstart", "quickstart"),
    "serve": ("serve", "serve"),
    "doctor": ("doctor", "doctor"),
    "send": ("send", "send"),
    "route": ("route", "route"),
    "trace": ("trace", "trace"),
    "user": ("users", "user"),
    "account": ("accounts", "account"),
    "contact": ("contacts", "contact"),
    "preferences": ("preferences", "preferences"),
    "settings": ("settings_page", "settings"),
    "bench": ("bench", "bench"),
    "completion": ("completion", "completion"),
}


class LazyGroup(click.Group):
    """Commands by name, imported on first use; errors in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = getattr(import_module(f"opencpm.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        with reporting_errors():
            return super().invoke(ctx)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="opencpm")
def main() -> None:
    """OpenCPM: one conversation with a person, whatever network they are on.

    \b
    opencpm demo                 see it work, with stand-in networks
    opencpm quickstart           write a configuration, then: opencpm serve
    """
