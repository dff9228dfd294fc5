"""A whole village on loopback: the server, two SMS networks, MSN, and devices of its users, all on real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opencpm.app import build
from opencpm.app.server import App
from opencpm.cli.certificate import self_signed
from opencpm.domain.address import Address, tel
from opencpm.domain.message import message_ident
from opencpm.domain.trail import TrailEntry
from opencpm.interfaces import DeliveryRecord
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.msn import Buddy, LabMsn
from opencpm.lab.smsc import Handset, LabSmsc
from opencpm.protocols.sip.message import Message
from opencpm.settings import parse

DOMAIN = "cpm.test"
USERS = {
    "alice": ("Alice", "+12025550100", "alice-knows"),
    "carol": ("Carol", "+12025550102", "carol-knows"),
}
ALICE, CAROL = (f"sip:{user}@{DOMAIN}" for user in ("alice", "carol"))
ALICE_MSN, BOB_MSN, BOB_NUMBER = "alice@msn.test", "bob@msn.test", "+12025550101"
BOB = f"tel:{BOB_NUMBER}"
FIXED_NUMBER, UK_MOBILE = "+442079460123", "+447700900123"
PATIENCE = 15.0
OFF = {"enabled": False}  # the API, where a test has no use for it: it takes a while to stop


@dataclass
class Village:
    """``mobile`` and ``land`` are the SMS centres of the networks "sms" and "land"."""

    app: App
    mobile: LabSmsc
    land: LabSmsc
    msn: LabMsn
    token: str

    # -- people

    @property
    def phone(self) -> Handset:
        return self.mobile.handset(BOB_NUMBER)

    @property
    def bob(self) -> Buddy:
        """Bob at his computer."""
        return self.msn.buddy(BOB_MSN, "Bob")

    async def bob_signs_in(self, status: str = "NLN") -> None:
        await self.bob.sign_in(status)
        await self.bob.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN, PATIENCE)
        reach = self.app.messaging.connectors["msn"].reach
        await self.until(lambda: "not" not in reach("alice", Address("msn", BOB_MSN)).detail)

    @asynccontextmanager
    async def device(self, user: str = "alice", transport: str = "tcp", **options: Any) -> AsyncIterator[LabDevice]:
        """A registered device of a user."""
        async with self.absent(user, transport, **options) as device:
            assert await device.register() == 200
            yield device

    def absent(self, user: str = "alice", transport: str = "tcp", *, instance: str = "", **options: Any) -> LabDevice:
        """A device that has not registered yet; with the instance of another one it is the same, come back."""
        where = self.app.endpoints["sip"][transport]
        options = {"password": USERS[user][2], **options}
        device = LabDevice(f"sip:{user}@{DOMAIN}", server=where, transport=transport.upper(), **options)
        device.instance = instance or device.instance
        return device

    @property
    def api(self) -> Api:
        """The API, as Alice."""
        return Api(*self.app.endpoints["web"]["http"], self.token)

    # -- settings

    async def prefer(self, **changes: Any) -> None:
        """Alice changes her preferences, over the API."""
        await self.api.patch("/me/preferences", changes)

    def policy(self, **changes: Any) -> None:
        """The operator's settings change, as SIGHUP does it."""
        self.app.messaging.set_policy(replace(self.app.messaging.policy, **changes))

    def contact(self, name: str, *addresses: Address, networks: tuple[str, ...] = ()) -> None:
        self.app.directory.add_contact("alice", name, addresses, networks)

    # -- what is known of a message

    def records(self, message_id: str, sender: str = ALICE) -> list[DeliveryRecord]:
        """The deliveries of what somebody sent with this Message-ID."""
        return list(self.app.store.deliveries_of(message_ident(Address.parse(sender), message_id)))

    async def until_state(self, message_id: str, *states: str, sender: str = ALICE) -> DeliveryRecord:
        """The first delivery of a message, once it is in one of these states."""

        def there() -> DeliveryRecord | None:
            found = self.records(message_id, sender)
            return found[0] if found and found[0].state in states else None

        record: DeliveryRecord = await self.until(there)
        return record

    def trail(self, ident: str) -> list[TrailEntry]:
        """What `opencpm trace` shows; empty where nothing is known."""
        subject = self.app.store.find(ident) or message_ident(Address.parse(ALICE), ident)  # refused: not stored
        return list(self.app.store.trail(subject))

    async def line(self, ident: str, step: str, *words: str) -> TrailEntry:
        """The line of a trail with this step and all these words, once it is there."""

        def there() -> TrailEntry | None:
            found = (one for one in self.trail(ident) if one.step == step)
            return next((one for one in found if all(word in one.what for word in words)), None)

        try:
            entry: TrailEntry = await self.until(there)
        except TimeoutError:
            raise AssertionError([(one.step.value, one.what) for one in self.trail(ident)]) from None
        return entry

    async def until(self, true: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What `true` gives, once it gives something. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while not (found := true()):
                await asyncio.sleep(0.005)
        return found


@asynccontextmanager
async def village(
    folder: Path, *, msn_password: str = "", signed_in: bool = True, **settings: Mapping[str, Any]
) -> AsyncIterator[Village]:
    """Start everything. ``settings`` adds to the sections of that name: ``sip={"window": 1}``."""
    async with (
        LabSmsc(accounts={"opencpm": "sesame"}) as mobile,
        LabSmsc(accounts={"opencpm": "sesame"}) as land,
        LabMsn() as msn,
    ):
        account = msn.account(ALICE_MSN, "alice-on-msn", "Alice")
        mobile.handset(BOB_NUMBER)
        msn.buddy(BOB_MSN, "Bob")
        msn.befriend(ALICE_MSN, BOB_MSN)
        values = _settings(folder, mobile, land, msn, settings)
        async with build(parse(values, folder)).running() as app:
            token = _people(app, msn_password or account.password)
            place = Village(app, mobile, land, msn, token)
            await mobile.wait_bound()
            await land.wait_bound()
            if signed_in:
                await place.until(lambda: msn.is_online(ALICE_MSN))
            yield place


def _people(app: App, msn_password: str) -> str:
    people = app.directory
    if people.subscriber("alice") is None:  # else they are there from before a restart
        for user, (name, number, password) in USERS.items():
            people.add_user(user, name, password, [Address("sip", f"{user}@{DOMAIN}"), tel(number)])
        people.add_contact("alice", "Bob", [tel(BOB_NUMBER), Address("msn", BOB_MSN)])
        people.link_account("alice", "msn", Address("msn", ALICE_MSN), msn_password)
    return people.new_token("alice", "story")


def _settings(
    folder: Path, mobile: LabSmsc, land: LabSmsc, msn: LabMsn, more: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "domain": DOMAIN,
        "secret_key": "k" * 40,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "ws_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "policy": {"order": ["sms", "land", "msn"], "home_region": "US", "retry_schedule": [0.05]},
        "networks": {
            "sms": {"type": "sms", "label": "SMS", **_link(mobile)},
            "land": {"type": "sms", "label": "Landline SMS", **_link(land)},
            "msn": {
                "type": "msn",
                "protocol": 12,
                "offline_messages": False,
                **msn.settings,
                "switchboard_interval": 0.0,
                "reconnect_first": 0.05,
            },
        },
    }
    for section, extra in more.items():
        if section in values["networks"]:
            values["networks"][section].update(extra)
        else:
            values[section] = {**values[section], **extra}
    return values


def _link(smsc: LabSmsc) -> dict[str, Any]:
    host, port = smsc.address
    return {
        "host": host,
        "port": port,
        "system_id": "opencpm",
        "password": "sesame",
        "reconnect_min": 0.05,
        "reconnect_max": 0.1,
    }


def tls(folder: Path) -> dict[str, Any]:
    """Settings of [sip] that add TLS, secure WebSocket and MSRP over TLS, with a certificate made here."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for path, data in zip((certificate, key), self_signed(DOMAIN), strict=True):
        path.write_bytes(data)
    ports = {"tls_port": 0, "wss_port": 0, "msrps_port": 0}
    return {**ports, "tls_certificate": str(certificate), "tls_key": str(key)}


async def raw(device: LabDevice, target: str, content_type: str, body: bytes, *fields: tuple[str, str]) -> Message:
    """Send a MESSAGE with this body as it is; the final response."""
    head = [
        ("Max-Forwards", "70"),
        ("From", f"<{device.identity}>;tag={secrets.token_hex(4)}"),
        ("To", f"<{target}>"),
        ("Call-ID", secrets.token_hex(8)),
        ("CSeq", "1 MESSAGE"),
        *fields,
        ("Content-Type", content_type),
    ]
    _, response = await device.agent.request("MESSAGE", target, head, body)
    return response
