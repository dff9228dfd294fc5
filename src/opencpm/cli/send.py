"""Send a message and see what becomes of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from opencpm.cli.api import Api, api, api_options
from opencpm.cli.errors import FAILED, Failure
from opencpm.cli.options import config_option, json_option, print_json

FINAL = {"delivered", "displayed", "failed", "expired", "unknown"}
GOOD = {"delivered", "displayed"}
LOOK = 0.25  # seconds between looks


@click.command()
@click.argument("to", nargs=-1, required=True)
@click.option("--text", "-t", help="The text.  [default: read from stdin]")
@click.option("--route", default="", help='Network to use, "sms"; otherwise selection decides.')
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for the reports; 0: do not wait.")
@api_options
@config_option
@json_option
def send(
    to: tuple[str, ...],
    text: str | None,
    route: str,
    wait: float,
    server: str | None,
    token_file: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Send a text to one or more addresses TO, and show what becomes of it.

    Exit status 0: delivered, or accepted by every network where nothing more was heard in time.

    \b
    opencpm send +12025550101 --text "Are you coming?"
    echo "Are you coming?" | opencpm send +12025550101 msn:bob@msn.test --json
    """
    server_api = api(server, token_file, config)
    body = {"to": list(to), "text": text if text is not None else sys.stdin.read().rstrip("\n"), "route": route}
    message = server_api.post("/messages", body)
    if not as_json:
        click.echo(f"stored as {message['id']}")
    message = _follow(server_api, message, wait, not as_json)
    if as_json:
        print_json(message)
    failed = [one for one in message["deliveries"] if one["state"] in FINAL - GOOD]
    if failed:
        raise Failure(
            "; ".join(f"{one['recipient']}: {one['state']}, {one['detail'] or one['error']}" for one in failed),
            f"Why: opencpm trace {message['id']}",
            FAILED,
        )


def _follow(server: Api, message: dict[str, Any], wait: float, show: bool) -> dict[str, Any]:
    """Look until every delivery is final or the time is up; show each change."""
    seen: dict[str, str] = {}
    deadline = time.monotonic() + wait
    while True:
        for one in message["deliveries"]:
            if seen.get(one["id"]) != one["state"]:
                seen[one["id"]] = one["state"]
                if show:
                    click.echo(_line(one))
        if all(state in FINAL for state in seen.values()) or time.monotonic() >= deadline:
            return message
        time.sleep(LOOK)
        message = server.get(f"/messages/{message['id']}")


def _line(delivery: dict[str, Any]) -> str:
    by = f" by {delivery['network']}" if delivery["network"] else ""
    why = f": {delivery['detail']}" if delivery["detail"] else ""
    return f"{delivery['recipient']:<28} {delivery['state']}{by}{why}"
