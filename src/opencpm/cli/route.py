"""Which way a message would take, and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from opencpm.cli.api import api, api_options
from opencpm.cli.errors import FAILED, Failure
from opencpm.cli.options import TOKEN_VARIABLE, config_option, json_option, load_settings, print_json, run


@click.group()
def route() -> None:
    """Questions to selection."""


@route.command()
@click.argument("to")
@click.option("--from", "sender", help="The sending user, for the offline answer.")
@click.option("--text", "-t", default="Hello", show_default=True, help="The text.")
@click.option("--route", "wanted", default="", help="Network the sender asks for.")
@click.option("--session", is_flag=True, help="A session rather than a message.")
@api_options
@config_option
@json_option
def explain(
    to: str,
    sender: str | None,
    text: str,
    wanted: str,
    session: bool,
    server: str | None,
    token_file: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Show what would become of a message to TO now; nothing is sent.

    With a token the running server is asked. With --from the settings and the database alone answer, as if every
    link were up and everybody there.

    \b
    opencpm route explain +12025550101
    opencpm route explain +12025550101 --session --json
    opencpm route explain +442079460123 --from alice
    """
    if sender:
        plan = run(_offline(load_settings(config), sender, to, text, wanted, session))
    elif token_file or os.environ.get(TOKEN_VARIABLE):
        question = {"to": to, "text": text, "route": wanted, "session": session}
        plan = api(server, token_file, config).post("/routes/explain", question)
    else:
        raise Failure("who sends?", f"Give --from <user>, or a token in {TOKEN_VARIABLE} to ask the running server.", 2)
    if as_json:
        print_json(plan)
    else:
        click.echo("\n".join(lines(plan)))
    if plan["action"] == "refuse":
        raise SystemExit(FAILED)


async def _offline(settings: Any, sender: str, to: str, text: str, wanted: str, session: bool) -> Any:
    from opencpm.app.dry_run import explain as explained
    from opencpm.domain.address import Address

    try:
        return await explained(settings, sender, Address.parse(to), text, wanted, session)
    except KeyError:
        raise Failure(f"there is no user {sender}", "`opencpm user list` shows who there is.") from None


def lines(plan: dict[str, Any]) -> list[str]:
    """A plan for a terminal."""
    found = [f"{plan['action']}: {plan['reason']}"]
    found += [f"  {_note(note)}" for note in plan["facts"]]
    for candidate in plan["candidates"]:
        chosen = plan["chosen"] and plan["chosen"]["network"] == candidate["network"]
        mark = "chosen" if chosen else "possible" if candidate["kept"] else "dropped"
        found.append(f"  {candidate['network']} → {candidate['target']}: {mark}")
        found += [f"    {_note(note)}" for note in candidate["notes"]]
        found += [f"    loses: {loss}" for loss in candidate["losses"]]
    if plan["waits_for"]:
        found.append(f"  waits for {plan['waits_for']}")
    return found


def _note(note: dict[str, Any]) -> str:
    return f"{'✓' if note['kept'] else '✗'} {note['rule']}: {note['evidence']}"
