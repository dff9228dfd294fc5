"""Run the server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencpm.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from opencpm.app.server import App


@click.command()
@config_option
@json_option
@click.option("--until-eof", is_flag=True, help="Also stop when stdin ends: when whoever started it is gone.")
@click.option("--check", is_flag=True, help="Only say whether the settings can be used.")
def serve(config: Path | None, as_json: bool, until_eof: bool, check: bool) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    At SIGHUP the section [policy] is read again; users and accounts are followed by themselves.
    With --json one line on stdout says when it is ready and where it listens. Under systemd (Type=notify) the
    service manager is told.

    \b
    opencpm serve
    opencpm serve --config /etc/opencpm/opencpm.toml
    """
    from opencpm.app import build
    from opencpm.app.signals import run, set_up_logging
    from opencpm.app.signals import serve as serving

    settings = load_settings(config)
    if check:
        click.echo("the settings can be used")
        return
    set_up_logging(settings.log_level)
    ready = _announce_json if as_json else _announce
    duty = serving(build(settings), ready, until_eof=until_eof, reread=lambda: load_settings(config))
    run(duty, settings.event_loop)


def _announce_json(app: App) -> None:
    print_json({"ready": True, "endpoints": app.endpoints})
    sys.stdout.flush()


def _announce(app: App) -> None:
    for name, kinds in app.endpoints.items():
        for kind, (host, port) in kinds.items():
            shown = f"http://{host}:{port}/" if kind == "http" else f"{host}:{port}"
            click.echo(f"{name} {kind:<6} {shown}")
    click.echo("ready; stop with Ctrl-C")
