"""Users' address books: a person with several addresses is one conversation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencpm.cli.options import config_option, json_option, known, print_json, with_people

if TYPE_CHECKING:
    from opencpm.domain.contact import Contact
    from opencpm.messaging.directory import StoredDirectory
    from opencpm.storage.sqlite import SqliteStore


@click.group()
def contact() -> None:
    """Users' address books."""


@contact.command()
@click.argument("user")
@click.argument("name")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--network", "-n", "networks", multiple=True, help="Preferred for this person; may be repeated.")
@config_option
def add(user: str, name: str, addresses: tuple[str, ...], networks: tuple[str, ...], config: Path | None) -> None:
    """Put a person NAME with ADDRESSES into USER's address book.

    \b
    opencpm contact add alice Bob +12025550101 msn:bob@msn.test --network sms
    """
    from opencpm.domain.address import Address

    found = [Address.parse(text) for text in addresses]

    def put(people: StoredDirectory, _: SqliteStore) -> Contact:
        return people.add_contact(known(people, user).id, name, found, networks)

    click.echo(f"{name} is in {user}'s address book as {with_people(config, put).id}")


@contact.command("list")
@click.argument("user")
@config_option
@json_option
def list_(user: str, config: Path | None, as_json: bool) -> None:
    """List USER's address book.

    \b
    opencpm contact list alice --json
    """
    found = with_people(config, lambda people, _: list(people.contacts(known(people, user).id)))
    shown = [
        {"id": c.id, "name": c.name, "addresses": [str(a) for a in c.addresses], "networks": list(c.networks)}
        for c in found
    ]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        click.echo(f"{one['id']:<26} {one['name']:<20} {', '.join(one['addresses'])}")
