"""Users of this server and their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencpm.cli.errors import Failure
from opencpm.cli.options import config_option, json_option, known, load_settings, print_json, secret, with_people

if TYPE_CHECKING:
    from opencpm.messaging.directory import StoredDirectory
    from opencpm.storage.sqlite import SqliteStore


@click.group()
def user() -> None:
    """Add, list and remove users; passwords and tokens."""


@user.command()
@click.argument("name")
@click.option("--display-name", help="What people see.  [default: the name, capitalised]")
@click.option("--number", "numbers", multiple=True, help="A telephone number or short code of theirs; may be repeated.")
@click.option("--sender", "names", multiple=True, help="A name they may send SMS from, at most 11 characters.")
@config_option
def add(
    name: str, display_name: str | None, numbers: tuple[str, ...], names: tuple[str, ...], config: Path | None
) -> None:
    """Add a user NAME; the password is asked for (or read from stdin, or OPENCPM_PASSWORD).

    \b
    opencpm user add alice
    opencpm user add alice --number +12025550100
    opencpm user add shop --number 60606 --sender Shop
    """
    from opencpm.domain.address import Address, tel

    settings = load_settings(config)
    addresses = [Address("sip", f"{name}@{settings.domain}")]
    addresses += [tel(number) for number in numbers]
    addresses += [Address("alpha", _sender(sender)) for sender in names]
    password = secret("password")

    def put(people: StoredDirectory, _: SqliteStore) -> None:
        if people.subscriber(name) is not None:
            hint = f"Change the password with `opencpm user password {name}`."
            raise Failure(f"there is a user {name} already", hint)
        people.add_user(name, display_name or name.capitalize(), password, addresses)

    with_people(config, put)
    click.echo(f"{name} can register as {addresses[0]}")


def _sender(name: str) -> str:
    """An alphanumeric sender (3GPP TS 23.040 §9.1.2.5): no number, and short."""
    if not 0 < len(name) <= 11 or not name.isascii() or not name.isprintable() or name.isdecimal():
        raise Failure(f"{name!r} cannot be a sender", "Use 1 to 11 letters and digits, with a letter among them.")
    return name


@user.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List all users.

    \b
    opencpm user list --json
    """
    found = with_people(config, lambda _, store: store.subscribers())
    shown = [
        {
            "id": one.id,
            "name": one.name,
            "addresses": [str(a) for a in one.addresses],
            "accounts": [f"{a.network} {a.address}" for a in one.accounts],
        }
        for one in found
    ]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        click.echo(f"{one['id']:<16} {one['name']:<24} {', '.join([*one['addresses'], *one['accounts']])}")


@user.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def remove(name: str, yes: bool, config: Path | None) -> None:
    """Remove a user.

    \b
    opencpm user remove alice
    """
    if not yes:
        click.confirm(f"Remove {name}?", abort=True)

    def take(people: StoredDirectory, _: SqliteStore) -> None:
        known(people, name)
        people.remove_user(name)

    with_people(config, take)
    click.echo(f"{name} is removed")


@user.command()
@click.argument("name")
@config_option
def password(name: str, config: Path | None) -> None:
    """Set a user's password (asked for, or from stdin, or OPENCPM_PASSWORD).

    \b
    opencpm user password alice
    """
    new = secret("new password")

    def put(people: StoredDirectory, _: SqliteStore) -> None:
        known(people, name)
        people.set_password(name, new)

    with_people(config, put)
    click.echo(f"{name} has a new password")


@user.command()
@click.argument("name")
@click.option("--label", default="command line", show_default=True, help="What the token is called.")
@config_option
def token(name: str, label: str, config: Path | None) -> None:
    """Make a token for the HTTP API; it is printed once.

    \b
    export OPENCPM_TOKEN=$(opencpm user token alice)
    """
    click.echo(with_people(config, lambda people, _: people.new_token(known(people, name).id, label)))
