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
    if as_json:
        print_json([_shown(one) for one in found])
        return
    for one in found:
        blocked = "  (blocked)" if one.blocked else ""
        click.echo(f"{one.id:<26} {one.name:<20} {', '.join(map(str, one.addresses))}{blocked}")


def _shown(one: Contact) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "addresses": [str(address) for address in one.addresses],
        "networks": list(one.networks),
        "blocked": one.blocked,
    }


@contact.command()
@click.argument("user")
@click.argument("who")
@config_option
def remove(user: str, who: str, config: Path | None) -> None:
    """Take the contact WHO (its id) out of USER's address book; the history stays.

    \b
    opencpm contact remove alice bob
    """
    with_people(config, lambda people, _: people.remove_contact(known(people, user).id, who))
    click.echo(f"{who} is out of {user}'s address book")


@contact.command()
@click.argument("user")
@click.argument("who")
@click.option("--off", is_flag=True, help="Let them write again.")
@config_option
def block(user: str, who: str, off: bool, config: Path | None) -> None:
    """Let nothing come from the contact WHO (its id) by any network.

    \b
    opencpm contact block alice bob
    """
    with_people(config, lambda people, _: people.set_blocked(known(people, user).id, who, not off))
    click.echo(f"{who} is {'no longer ' if off else ''}blocked by {user}")


@contact.command()
@click.argument("user")
@config_option
@json_option
def requests(user: str, config: Path | None, as_json: bool) -> None:
    """List who wants to have USER as a contact.

    \b
    opencpm contact requests alice
    """
    found = with_people(config, lambda people, _: people.contact_requests(known(people, user).id))
    shown = [
        {"id": r.id, "network": r.network, "address": str(r.address), "name": r.name, "text": r.text} for r in found
    ]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        click.echo(f"{one['id']:<18} {one['network']:<8} {one['address']:<32} {one['name']}  {one['text']}".rstrip())


@contact.command()
@click.argument("user")
@click.argument("request")
@click.argument("answer", type=click.Choice(["accept", "decline"]))
@config_option
def answer(user: str, request: str, answer: str, config: Path | None) -> None:
    """Answer a contact request; the running server tells the network.

    \b
    opencpm contact answer alice 3f2a9c1d5e7b8a60 accept
    """
    asked = with_people(
        config, lambda people, _: people.answer_request(known(people, user).id, request, answer == "accept")
    )
    click.echo(f"{asked.address}: {asked.answer.value}")
