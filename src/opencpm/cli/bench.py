"""What a message costs."""

from __future__ import annotations

import pstats
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from opencpm.cli.options import json_option, print_json, run

WORDS = {
    "sip_to_sms_receipt_us": "SIP in, stored, 202, SMPP out, response, receipt, IMDN to the device (UDP)",
    "sip_to_sms_us": "SIP in, stored, 202, SMPP out, response (no receipt asked)",
    "no_storage_us": "the first one without storage: acknowledged and dropped",
    "sip_to_sip_us": "SIP to SIP, stored (UDP)",
    "offline_store_us": "SIP in, stored for a device that is away, 202",
    "sip_to_sms_long_us": "SIP in, stored, 202, three segments by SMPP, their receipts, one IMDN to the device (UDP)",
    "smpp_submit_route_submit_us": "submit_sm in, stored, response, submit_sm out, response (no receipt asked)",
    "mo_to_device_us": "deliver_sm in, stored, response, SIP to the device (UDP)",
    "sip_to_sms_receipt_tcp_us": "the first one over TCP",
    "sip_to_sip_tcp_us": "SIP to SIP, stored (TCP)",
}
ACCOUNTS = {
    "msn_account_kb": "kB of memory for each of 2,000 linked MSN accounts",
    "msn_rest_cpu_percent": "per cent of a core for 2,000 MSN accounts at rest",
    "msn_restore_seconds": "seconds until 2,000 MSN accounts are signed in again after kill -9",
}
BESIDE = {
    "kannel_us": "Kannel here and now: HTTP in, spooled, 202, SMPP out (bearerbox and smsbox)",
    "kannel_receipt_us": "Kannel here and now, with receipt and callback",
}
LINES = {"line_call_ms": "ms a call that brings a text to a telephone line as sound, 200 of them at once"}
SCENARIOS = [*WORDS, *BESIDE, *ACCOUNTS, *LINES]
# CPU µs a message, measured on a machine like the one these figures are compared on
PEERS = (
    ("Kamailio, relaying the same MESSAGE, nothing stored", "180"),
    ("Kamailio, storing it (msilo, SQLite)", "360–470"),
    ("Kannel, HTTP to SMPP, spooled", "430"),
    ("Kannel, with receipts and callbacks", "3,700"),
    ("Jasmin, HTTP to SMPP", "4,300"),
    ("Jasmin, with receipts", "22,600"),
)


@click.command()
@click.option("--messages", "-n", default=10_000, show_default=True, help="Messages a scenario.")
@click.option("--window", "-w", default=200, show_default=True, help="Messages under way at a time.")
@click.option("--only", multiple=True, type=click.Choice(SCENARIOS), help="Only this scenario; may be repeated.")
@click.option("--profile", is_flag=True, help="Run the server under the profiler and show where the time goes.")
@json_option
def bench(messages: int, window: int, only: tuple[str, ...], profile: bool, as_json: bool) -> None:
    """Measure the CPU time of the server process (user and system) per message.

    The server, a stand-in SMS centre and the load run in three processes on this machine. Where Kannel is installed,
    it is measured beside them. A benchmark, not a test.

    \b
    opencpm bench
    opencpm bench --json
    opencpm bench --only sip_to_sms_receipt_us --profile
    """
    from opencpm.lab.bench import measure, measure_accounts, measure_lines

    def tell(key: str) -> None:
        if not as_json:
            click.echo(f"… {(WORDS | BESIDE | ACCOUNTS | LINES)[key]}", err=True)

    with tempfile.TemporaryDirectory(prefix="opencpm-profile-") as name:
        folder = Path(name) if profile else None
        found = run(measure(prepare, messages, window, only, folder, tell))
        if not only or set(only) & set(ACCOUNTS):
            tell("msn_restore_seconds")
            found |= run(measure_accounts(prepare_accounts))
        if not only or set(only) & set(LINES):
            from opencpm.cli.demo_setup import prepare as prepare_town

            tell("line_call_ms")
            found |= run(measure_lines(prepare_town))
        if as_json:
            print_json(found)
        else:
            _table(found)
        for dump in sorted(Path(name).glob("*.prof")):
            _profile(dump, as_json)


def _profile(dump: Path, to_stderr: bool) -> None:
    from opencpm.cli.profile import by_room

    click.echo(f"\n{dump.stem}: seconds under the profiler, start and warm-up included", err=to_stderr)
    for room, seconds in by_room(dump)[:25]:
        click.echo(f"{seconds:>8.3f}  {room}", err=to_stderr)
    stream = sys.stderr if to_stderr else sys.stdout
    pstats.Stats(str(dump), stream=stream).sort_stats("tottime").print_stats(40)


def _table(found: dict[str, Any]) -> None:
    click.echo(f"\nCPU µs a message, server process; {found['python']}, {found['machine']}")
    for key, words in WORDS.items():
        if key in found:
            name = key.removesuffix("_us")
            system, rate = found[f"{name}_system_us"], found[f"{name}_per_second"]
            click.echo(f"{found[key]:>10.1f}  {words}; {system} of it in the kernel; {rate} a second")
    for key, words in (BESIDE | ACCOUNTS | LINES).items():
        if key in found:
            click.echo(f"{found[key]:>10.1f}  {words}")
    click.echo("\nOthers, measured on a similar machine")
    for words, figure in PEERS:
        click.echo(f"{figure:>10}  {words}")


async def prepare(folder: Path, rig: Any, port: int) -> Any:
    """Settings and users of the benchmark."""
    from opencpm.app.people import opened
    from opencpm.cli.demo_setup import toml
    from opencpm.domain.address import Address, tel
    from opencpm.lab.bench.run import DOMAIN, SENDERS, Ready
    from opencpm.settings import parse

    values: dict[str, Any] = {
        "domain": DOMAIN,
        "secret_key": secrets.token_urlsafe(32),
        "log_level": "warning",
        "store_messages": rig.storage,
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0, "trust_flows": ["udp", "tcp"], "window": 200},
        "web": {"port": 0},
        "policy": {
            "routes": [{"prefix": "+1", "networks": ["sms"]}],
            "limits": {"deferred_per_subscriber": 10_000_000},
        },
        "smpp": {"enabled": rig.smpp, "listeners": [{"port": 0}]},
        "networks": {
            "sms": {
                "type": "sms", "host": "127.0.0.1", "port": port, "window": 200, "receipts": rig.receipts,
            }
        },
    }  # fmt: skip
    config = folder / "opencpm.toml"
    config.write_text("\n".join(toml(values)) + "\n")
    password = secrets.token_urlsafe(6)  # SMPP takes eight characters
    names = [f"{prefix}{n}" for prefix in ("load", "far") for n in range(SENDERS)] + ["away"]
    async with opened(parse(values, folder)) as (_, people):
        for at, name in enumerate(names):
            people.add_user(name, name, password, [Address("sip", f"{name}@{DOMAIN}"), tel(f"+1202555{at:04d}")])
        token = people.new_token("away", "bench")
    return Ready(config, password, token)


async def prepare_accounts(folder: Path, network: dict[str, Any], accounts: list[Any]) -> Path:
    """Settings with this network "msn", and a user for each account."""
    from opencpm.app.people import opened
    from opencpm.cli.demo_setup import toml
    from opencpm.domain.address import Address
    from opencpm.lab.bench.run import DOMAIN
    from opencpm.settings import parse

    values: dict[str, Any] = {
        "domain": DOMAIN,
        "secret_key": secrets.token_urlsafe(32),
        "log_level": "warning",
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "networks": {"msn": network},
    }
    config = folder / "opencpm.toml"
    config.write_text("\n".join(toml(values)) + "\n")
    async with opened(parse(values, folder)) as (_, people):
        for account in accounts:
            password = secrets.token_urlsafe(6)
            people.add_user(account.user, account.user, password, [Address("sip", f"{account.user}@{DOMAIN}")])
            people.link_account(account.user, "msn", Address("msn", account.address), account.password)
    return config
