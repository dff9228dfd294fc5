"""Write a configuration that works: fresh secrets, a certificate, the first user."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from opencpm.cli.errors import Failure
from opencpm.cli.options import PASSWORD_VARIABLE, json_option, load_settings, print_json

CONFIG = "opencpm.toml"
CERTIFICATE, KEY = "tls-certificate.pem", "tls-key.pem"


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Where to write.  [default: here]",
)
@click.option("--domain", default="cpm.test", show_default=True, help="The domain that users belong to.")
@click.option("--user", default="alice", show_default=True, help="The first user.")
@click.option("--number", help="The first user's telephone number, +<country><number>.")
@json_option
def quickstart(folder: Path, domain: str, user: str, number: str | None, as_json: bool) -> None:
    """Write opencpm.toml with fresh secrets, a self-signed certificate and a first user.

    The user's password is taken from OPENCPM_PASSWORD, or made up and printed once. What exists is never overwritten.

    \b
    opencpm quickstart
    opencpm quickstart --dir /etc/opencpm --domain cpm.example.com --user alice --number +12025550100
    """
    from opencpm.cli.certificate import self_signed

    taken = [name for name in (CONFIG, CERTIFICATE, KEY) if (folder / name).exists()]
    if taken:
        raise Failure(f"{folder / taken[0]} exists already", "Choose another folder with --dir, or move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = self_signed(domain)
    write(folder / CERTIFICATE, certificate, 0o644)
    write(folder / KEY, key, 0o600)
    write(folder / CONFIG, template(domain).encode(), 0o600)
    password = os.environ.get(PASSWORD_VARIABLE) or secrets.token_urlsafe(12)
    token = _first_user(folder / CONFIG, user, number, password)
    _tell(folder, domain, user, password, token, as_json)


def _first_user(config: Path, user: str, number: str | None, password: str) -> str:
    from opencpm.cli.options import with_people
    from opencpm.domain.address import Address, tel

    addresses = [Address("sip", f"{user}@{load_settings(config).domain}")]
    if number:
        addresses.append(tel(number))

    def put(people, _):  # type: ignore[no-untyped-def]
        people.add_user(user, user.capitalize(), password, addresses)
        return people.new_token(user, "quickstart")

    made: str = with_people(config, put)
    return made


def _tell(folder: Path, domain: str, user: str, password: str, token: str, as_json: bool) -> None:
    shown = "" if folder == Path(".") else f" --config {folder / CONFIG}"
    given = PASSWORD_VARIABLE in os.environ
    if as_json:
        print_json(
            {
                "config": str(folder / CONFIG),
                "user": user,
                "password": None if given else password,
                "token": token,
                "next": f"opencpm serve{shown}",
            }
        )
        return
    click.echo(f"written: {folder / CONFIG}, {CERTIFICATE}, {KEY}")
    click.echo(f"user:    {user}, sip:{user}@{domain}" + ("" if given else f", password {password} (shown this once)"))
    click.echo(f"token:   {token} (for the API; shown this once)")
    click.echo(f"next:    opencpm serve{shown}")


def write(path: Path, content: bytes, mode: int) -> None:
    """Create a file that did not exist, with its mode from the first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def template(domain: str) -> str:
    """A complete file; what is commented out shows the default or an example."""
    return f'''\
# OpenCPM. Every setting: opencpm settings --markdown. Check this file: opencpm doctor

domain = "{domain}"                     # users are sip:<name>@{domain}
data_dir = "data"                      # the database
secret_key = "{secrets.token_urlsafe(32)}"   # encrypts secrets at rest; keep it
# log_level = "info"                   # debug, info, warning, error

[sip]                                  # CPM devices
host = "127.0.0.1"                     # "0.0.0.0" to be reached from elsewhere
udp_port = 5060                        # 0: any free port; "off": none
tcp_port = 5060
tls_port = 5061
tls_certificate = "{CERTIFICATE}"      # self-signed; put your own here
tls_key = "{KEY}"
# wss_port = 8443                      # for SIP in browsers
msrp_port = 2855                       # sessions
# msrp_advertised_host = "203.0.113.7" # what devices connect to, behind NAT

[web]                                  # API (/api/docs) and page
host = "127.0.0.1"                     # put a TLS proxy in front of it
port = 8080
# operators = ["alice"]                # may see status and figures from elsewhere

[policy]                               # what selection reads
# order = ["sms", "msn"]               # fallback order of networks
# home_region = "US"                   # of numbers without a country code
# defer_when_down = true               # all networks down: keep and retry, or refuse

# [[policy.routes]]                    # number ranges: the longest prefix wins
# prefix = "+1"
# networks = ["sms"]

# [policy.limits]
# segments = 10
# message_bytes = 10485760

# [networks.sms]                       # SMS over SMPP
# type = "sms"
# host = "127.0.0.1"
# port = 2775
# system_id = "opencpm"
# password = "..."
# source = "+12025550100"              # "" sends from the user's own number

# [networks.msn]                       # a service that speaks MSNP; users link accounts: opencpm account link
# type = "msn"
# server = "messenger.example.com:1863"
# token_url = "https://login.example.com/RST.srf"          # versions 13 to 18; for 8 to 12: nexus_url
# contacts_url = "https://contacts.example.com"
# rsi_url = "https://rsi.example.com"                      # messages that came while nobody was there
'''
