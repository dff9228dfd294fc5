"""Settings and people of the demo's server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opencpm.app.people import opened
from opencpm.cli.quickstart import write
from opencpm.domain.address import Address, tel
from opencpm.lab.world import ALICE_MSN, ALICE_NUMBER, BOB_MSN, BOB_NUMBER, DOMAIN, Prepared, Wishes
from opencpm.settings import parse

Card = Callable[[str], Mapping[str, str]]
"""What /demo.json says, made with Alice's token."""


async def prepare(folder: Path, wishes: Wishes, card: Card | None = None) -> Prepared:
    """Write the file and put Alice, her address book and her MSN account into the database."""
    values: dict[str, Any] = {
        "domain": DOMAIN,
        "secret_key": secrets.token_urlsafe(32),
        "log_level": "warning",
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0, "trust_flows": ["udp", "tcp"]},
        "web": dict(wishes.web),
        "policy": {
            "order": ["sms", "msn"],
            "home_region": "US",
            "domains": {"msn.test": "msn"},
            "routes": [{"prefix": "+1", "networks": ["sms"]}],
        },
        "networks": {name: dict(network) for name, network in wishes.networks.items()},
    }
    password = secrets.token_urlsafe(12)
    async with opened(parse(values, folder)) as (_, people):
        people.add_user("alice", "Alice", password, [Address("sip", f"alice@{DOMAIN}"), tel(ALICE_NUMBER)])
        # Texts to Bob by SMS first, also after he wrote on MSN: the story can be told again in the same world.
        people.add_contact("alice", "Bob", [tel(BOB_NUMBER), Address("msn", BOB_MSN)], networks=("sms", "msn"))
        people.link_account("alice", "msn", Address("msn", ALICE_MSN), wishes.msn_password)
        token = people.new_token("alice", "demo")
    if card is not None:
        values["web"]["demo"] = dict(card(token))
    config = folder / "opencpm.toml"
    write(config, ("\n".join(toml(values)) + "\n").encode(), 0o600)
    return Prepared(config, token, password)


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
