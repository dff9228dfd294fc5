"""What happened to a message or session, and why."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencpm.cli.errors import Failure
from opencpm.cli.options import config_option, json_option, print_json, with_people

if TYPE_CHECKING:
    from opencpm.domain.trail import TrailEntry
    from opencpm.messaging.directory import StoredDirectory
    from opencpm.storage.sqlite import SqliteStore


@click.command()
@click.argument("ident", metavar="ID")
@config_option
@json_option
def trace(ident: str, config: Path | None, as_json: bool) -> None:
    """Show the trail of a message or session: every step with its evidence.

    ID is ours, the device's Message-ID, or a beginning of one (6 characters) that is unique. With a user's name or
    address: who was turned away at the door in that name (wrong password, unknown address, too large), and why.

    \b
    opencpm trace 4f1c22
    opencpm trace alice
    opencpm trace 4f1c22 --json
    """

    def read(people: StoredDirectory, store: SqliteStore) -> tuple[str, list[TrailEntry]]:
        user = people.subscriber(ident)
        found = store.find(ident) or (store.find(str(user.addresses[0])) if user else None)
        if found is None:
            raise Failure(f"nothing is known of {ident}", "`opencpm send` prints ids; so does every API answer.")
        return found, list(store.trail(found))

    subject, entries = with_people(config, read)
    if as_json:
        print_json({"id": subject, "trail": [_shown(entry) for entry in entries]})
        return
    click.echo(subject)
    for entry in entries:
        click.echo("\n".join(_lines(entry)))


def _shown(entry: TrailEntry) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": entry.at, "step": entry.step.value, "what": entry.what}
    if entry.delivery_id:
        shown["delivery"] = entry.delivery_id
    if entry.data:
        shown["data"] = json.loads(entry.data)
    return shown


def _lines(entry: TrailEntry) -> list[str]:
    at = datetime.fromtimestamp(entry.at).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    lines = [f"{at}  {entry.step.value:<12} {entry.what}"]
    data = json.loads(entry.data) if entry.data else {}
    if isinstance(data, dict):
        lines += _plan(data)
    return lines


def _plan(data: dict[str, Any]) -> list[str]:
    """The checks and the candidates, where the line keeps a plan."""
    indent = " " * 38
    lines = [f"{indent}{_note(note)}" for note in data.get("facts", ())]
    for candidate in data.get("candidates", ()):
        lines.append(f"{indent}{candidate['network']} → {candidate['target']}")
        lines += [f"{indent}  {_note(note)}" for note in candidate["notes"]]
    return lines


def _note(note: dict[str, Any]) -> str:
    return f"{'✓' if note['kept'] else '✗'} {note['rule']}: {note['evidence']}"
