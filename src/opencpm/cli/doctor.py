"""Look at everything that can be in the way of a server."""

from __future__ import annotations

from pathlib import Path

import click

from opencpm.cli.errors import FAILED
from opencpm.cli.options import config_option, json_option, print_json, run

MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@click.command()
@config_option
@json_option
def doctor(config: Path | None, as_json: bool) -> None:
    """Check settings, ports, database, links, certificates and clock; each line says what to do.

    Exit status 0 if nothing failed. May be run beside a running server.

    \b
    opencpm doctor
    opencpm doctor --config /etc/opencpm/opencpm.toml --json
    """
    from opencpm.cli.checks import check_all
    from opencpm.settings import default_path

    findings = run(check_all(config or default_path()))
    if as_json:
        print_json([one._asdict() for one in findings])
    else:
        for one in findings:
            mark, colour = MARKS[one.level]
            click.echo(f"{click.style(mark, fg=colour)}  {one.subject:<12} {one.found}")
            if one.todo:
                click.echo(f"{'':<19}{one.todo}")
    if any(one.level == "fail" for one in findings):
        raise SystemExit(FAILED)
