"""A server with an SMPP access, the lab's SMS centre beside it, and three accounts."""

import asyncio
from contextlib import asynccontextmanager

from opencpm.app import build
from opencpm.domain.address import Address
from opencpm.lab.device import LabDevice
from opencpm.lab.smsc import LabSmsc
from opencpm.settings import parse

from .esme import bound

PASSWORD = "sesame"
SHOP, NUMBER, NAME = "60606", "+12025550160", "Shop"
ALICE, ALICE_NUMBER, PHONE = "sip:alice@cpm.test", "+12025550100", "+12025550155"
PEOPLE = {
    "shop": (Address("tel", SHOP), Address("tel", NUMBER), Address("alpha", NAME)),
    "alice": (Address("sip", "alice@cpm.test"), Address("tel", ALICE_NUMBER)),
    "bank": (Address("sip", "bank@cpm.test"),),
}


class House:
    def __init__(self, app, smsc):
        self.app, self.smsc = app, smsc

    @property
    def address(self):
        return self.app.endpoints["smpp"]["smpp"]

    @property
    def access(self):
        return self.app.messaging.connectors["smpp"].inner

    def esme(self, user="shop", password=PASSWORD, **terms):
        return bound(self.address, user, password, **terms)

    @asynccontextmanager
    async def device(self):
        async with LabDevice(ALICE, PASSWORD, self.app.endpoints["sip"]["tcp"]) as device:
            assert await device.register() == 200
            yield device

    async def until(self, true, patience=10.0):
        async with asyncio.timeout(patience):
            while not (found := true()):
                await asyncio.sleep(0.01)
        return found


def settings(folder, smsc=None, **smpp):
    networks = {}
    if smsc is not None:
        host, port = smsc.address
        networks = {"sms": {"type": "sms", "host": host, "port": port, "system_id": "cpm", "password": "x"}}
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 40,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"enabled": False},
        "smpp": {"enabled": True, "listeners": [{"port": 0}], **smpp},
        "policy": {"home_region": "US"},
        "networks": networks,
    }
    return parse(values, folder)


@asynccontextmanager
async def house(folder, smsc=None, **smpp):
    async with build(settings(folder, smsc, **smpp)).running() as app:
        for user, addresses in PEOPLE.items():
            if app.directory.subscriber(user) is None:
                app.directory.add_user(user, user, PASSWORD, addresses)
        if smsc is not None:
            await smsc.wait_bound()
        yield House(app, smsc)


@asynccontextmanager
async def house_with_smsc(folder, **smpp):
    async with LabSmsc() as smsc, house(folder, smsc, **smpp) as one:
        yield one
