"""Users' own accounts on foreign networks, in which the server signs in for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opencpm.cli.api import local
from opencpm.cli.errors import REFUSED, USAGE, Failure
from opencpm.cli.options import config_option, json_option, known, load_settings, print_json, secret, with_people

if TYPE_CHECKING:
    from opencpm.domain.subscriber import LinkedAccount
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
    click.echo(f"How it went: opencpm account verify {user} {network}")


@account.command()
@click.argument("user")
@click.argument("network")
@click.argument("address", required=False)
@config_option
def unlink(user: str, network: str, address: str | None, config: Path | None) -> None:
    """Unlink USER's account on NETWORK; with several there, ADDRESS says which. People and history stay.

    \b
    opencpm account unlink alice msn
    """

    def take(people: StoredDirectory, _: SqliteStore) -> None:
        people.unlink_account(user, network, _one(people, user, network, address).address)

    with_people(config, take)
    click.echo(f"{user}'s account on {network} is unlinked")


@account.command()
@click.argument("user")
@click.argument("network")
@click.argument("address", required=False)
@click.option("--wait", type=click.FloatRange(0, 120), default=20.0, show_default=True, help="Seconds to wait.")
@config_option
def verify(user: str, network: str, address: str | None, wait: float, config: Path | None) -> None:
    """Sign in to USER's account afresh, and say how it went; also takes back one that signed in elsewhere.

    \b
    opencpm account verify alice msn
    """

    def again(people: StoredDirectory, _: SqliteStore) -> LinkedAccount:
        found = _one(people, user, network, address)
        if not found.enabled:
            raise Failure(f"{found.address} is disabled", f"`opencpm account enable {user} {network}` switches it on.")
        return people.retry_account(user, network, found.address)

    account = with_people(config, again)
    row = _settled(config, user, account, wait)
    click.echo(f"{row['address']}: {row['state']}" + (f" ({row['detail']})" if row["detail"] else ""))
    if row["state"] != "connected":
        raise SystemExit(REFUSED)


@account.command()
@click.argument("user")
@click.argument("network")
@click.argument("address", required=False)
@config_option
def disable(user: str, network: str, address: str | None, config: Path | None) -> None:
    """Switch USER's account off without unlinking it.

    \b
    opencpm account disable alice msn
    """
    _switch(config, user, network, address, False)


@account.command()
@click.argument("user")
@click.argument("network")
@click.argument("address", required=False)
@config_option
def enable(user: str, network: str, address: str | None, config: Path | None) -> None:
    """Switch USER's account on again.

    \b
    opencpm account enable alice msn
    """
    _switch(config, user, network, address, True)


@account.command("list")
@config_option
@json_option
def list_(config: Path | None, as_json: bool) -> None:
    """List linked accounts, and how the running server says they are.

    \b
    opencpm account list
    """
    users = with_people(config, lambda _, store: store.subscribers())
    rows = _from_server(config)
    told = {(row["user"], row["network"], row["address"]): row for row in rows or ()}
    why = "no server is running" if rows is None else "the server has not looked at it yet"
    shown = [_row(told, one.id, a, why) for one in users for a in one.accounts]
    if as_json:
        print_json(shown)
        return
    for row in shown:
        detail = f"  {row['detail']}" if row["detail"] else ""
        click.echo(f"{row['user']:<16} {row['network']:<8} {row['address']:<32} {row['state']}{detail}")


def _row(
    told: dict[tuple[str, str, str], dict[str, Any]], user: str, account: LinkedAccount, why: str
) -> dict[str, Any]:
    row = {"user": user, "network": account.network, "address": str(account.address), "enabled": account.enabled}
    known = told.get((user, account.network, str(account.address)))
    unknown = {"state": "unknown" if account.enabled else "disabled", "detail": why, "since": None}
    return {**row, **({name: known[name] for name in unknown} if known else unknown)}


def _from_server(config: Path | None) -> list[dict[str, Any]] | None:
    """What the server of these settings says; None where none runs."""
    try:
        found: list[dict[str, Any]] = local(config).get("/operation/accounts")
    except Failure:
        return None
    return found


def _settled(config: Path | None, user: str, account: LinkedAccount, patience: float) -> dict[str, Any]:
    """Ask the running server until it knows how signing in went."""
    server, until = local(config), time.monotonic() + patience
    while True:
        rows = server.get("/operation/accounts")
        told = {(row["user"], row["network"], row["address"]): row for row in rows}
        row = _row(told, user, account, "the server has not looked at it yet")
        seen = row["state"] not in ("connecting", "unknown") and row.get("since") is not None
        if seen or time.monotonic() > until:
            return row
        time.sleep(0.25)


def _switch(config: Path | None, user: str, network: str, address: str | None, enabled: bool) -> None:
    def put(people: StoredDirectory, _: SqliteStore) -> None:
        people.enable_account(user, network, _one(people, user, network, address).address, enabled)

    with_people(config, put)
    click.echo(f"{user}'s account on {network} is {'enabled' if enabled else 'disabled'}")


def _one(people: StoredDirectory, user: str, network: str, address: str | None) -> LinkedAccount:
    """:raises Failure: no such account, or several and none named."""
    found = [a for a in known(people, user).accounts if a.network == network]
    if address is not None:
        found = [a for a in found if address.lower() in (str(a.address).lower(), a.address.value.lower())]
    if not found:
        raise Failure(f"{user} has no account {address or ''} on {network}".replace("  ", " "), _LIST)
    if len(found) > 1:
        raise Failure(f"{user} has several accounts on {network}; say which", _LIST, USAGE)
    return found[0]


_LIST = "`opencpm account list` shows all."
