"""Settings and people of the demo's server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opencpm.app.people import opened
from opencpm.cli.quickstart import write
from opencpm.domain.address import Address, tel
from opencpm.lab.town import DOMAIN, Friend, Person, Prepared, Wishes
from opencpm.messaging.directory import StoredDirectory
from opencpm.settings import parse

Card = Callable[[Mapping[str, str]], Mapping[str, str]]
"""What /demo.json says, made with people's tokens."""


async def prepare(folder: Path, wishes: Wishes, card: Card | None = None) -> Prepared:
    """Write the file and put the people, their address books and accounts into the database."""
    values = _settings(wishes)
    tokens: dict[str, str] = {}
    passwords: dict[str, str] = {}
    async with opened(parse(values, folder)) as (_, directory):
        for person in wishes.people:
            passwords[person.user] = _move_in(directory, person)
            tokens[person.user] = directory.new_token(person.user, "demo")
        for friend in wishes.friends:
            _befriend(directory, friend)
    if card is not None:
        values["web"]["demo"] = dict(card(tokens))
    config = folder / "opencpm.toml"
    write(config, ("\n".join(toml(values)) + "\n").encode(), 0o600)
    return Prepared(config, tokens, passwords)


def _settings(wishes: Wishes) -> dict[str, Any]:
    """The demo's own, with the wishes on top."""
    values: dict[str, Any] = {
        "domain": DOMAIN,
        "secret_key": secrets.token_urlsafe(32),
        "log_level": "warning",
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0, "trust_flows": ["udp", "tcp"]},
        "web": {"port": 0},
        "policy": {"home_region": "US"},
    }
    for name, section in wishes.sections.items():
        values[name] = {**values.get(name, {}), **section}
    return {**values, "networks": {name: dict(network) for name, network in wishes.networks.items()}}


def _move_in(directory: StoredDirectory, person: Person) -> str:
    """Returns the new user's password."""
    password = secrets.token_urlsafe(12)
    numbers = [tel(person.number)] if person.number else []
    directory.add_user(person.user, person.name, password, [Address("sip", f"{person.user}@{DOMAIN}"), *numbers])
    for network, (address, secret) in person.accounts.items():
        directory.link_account(person.user, network, Address(network, address), secret)
    return password


def _befriend(directory: StoredDirectory, friend: Friend) -> None:
    addresses = [Address.parse(address) for address in friend.addresses]
    directory.add_contact(friend.owner, friend.name, addresses, networks=friend.networks)


def toml(table: dict[str, Any], path: str = "") -> list[str]:
    """A table as lines of TOML: plain values first, then the tables below."""
    plain = {name: value for name, value in table.items() if not _is_table(value)}
    lines = [f"[{path}]"] if path and (plain or not table) else []
    lines += [f"{_key(name)} = {_value(value)}" for name, value in plain.items()]
    for name, value in table.items():
        below = f"{path}.{_key(name)}" if path else _key(name)
        if isinstance(value, dict):
            lines += toml(value, below)
        elif _is_table(value):
            for one in value:
                lines += [f"[[{below}]]", *(f"{_key(n)} = {_value(v)}" for n, v in one.items())]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
