"""Users' own accounts on foreign networks, in which the server signs in for them."""

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
def account() -> None:
    """Link users' accounts on other networks."""


@account.command()
@click.argument("user")
@click.argument("network")
@click.argument("address")
@config_option
def link(user: str, network: str, address: str, config: Path | None) -> None:
    """Link USER's account ADDRESS on NETWORK; its password is asked for (or from stdin, or OPENCPM_PASSWORD).

    \b
    opencpm account link alice msn alice@msn.test
    """
    from opencpm.domain.address import Address

    networks = load_settings(config).networks
    if network not in networks:
        raise Failure(
            f"there is no network {network} in the settings",
            f"Configured: {', '.join(networks) or 'none'}. A network is a section [networks.{network}].",
        )
    kind = str(networks[network]["type"])
    target = Address.parse(address if ":" in address else f"{kind}:{address}")
    password = secret(f"password of {target.value}", confirm=False)

    def put(people: StoredDirectory, _: SqliteStore) -> None:
        people.link_account(known(people, user).id, network, target, password)

    with_people(config, put)
    click.echo(f"{user} is linked to {target}; the running server signs in within a few seconds")


@account.command()
@click.argument("user")
@click.argument("network")
@config_option
def unlink(user: str, network: str, config: Path | None) -> None:
    """Unlink USER's account on NETWORK.

    \b
    opencpm account unlink alice msn
    """

    def take(people: StoredDirectory, _: SqliteStore) -> None:
        if known(people, user).account(network) is None:
            raise Failure(f"{user} has no account on {network}", "`opencpm account list` shows all.")
        people.unlink_account(user, network)

    with_people(config, take)
    click.echo(f"{user}'s account on {network} is unlinked")


@account.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List linked accounts.

    \b
    opencpm account list
    """
    users = with_people(config, lambda _, store: store.subscribers())
    shown = [
        {"user": one.id, "network": a.network, "address": str(a.address), "enabled": a.enabled}
        for one in users
        for a in one.accounts
    ]
    if as_json:
        print_json(shown)
        return
    for row in shown:
        click.echo(f"{row['user']:<16} {row['network']:<8} {row['address']}{'' if row['enabled'] else '  (disabled)'}")
