"""Kannel binds to us as ESME: what it sends over its own SMPP link, and what it makes of our receipts."""

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.access.smpp.house import PASSWORD, PHONE, SHOP, house_with_smsc
from tests.interop.house import free_port
from tests.interop.programs import running

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("kannel_is_there")]

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = x
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
access-log = "{folder}/access.log"
log-level = 1

group = smsc
smsc = smpp
smsc-id = cpm
host = {host}
port = {port}
transceiver-mode = true
smsc-username = shop
smsc-password = {password}
system-type = ""
{smpp}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = u
password = p
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = "Echo: %a"
"""


class Kannel:
    def __init__(self, folder, http, box):
        self._log, self._http, self.box = folder / "access.log", http, box

    async def send(self, text, **more):
        """Over its HTTP interface."""
        values = {"username": "u", "password": "p", "from": SHOP, "to": PHONE, "text": text, "charset": "UTF-8"}
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{self._http}/cgi-bin/sendsms", params={**values, **more})
        assert answer.status_code == 202, answer.text

    def lines(self, what):
        """The lines of its access log about something."""
        return [line for line in self._log.read_text().splitlines() if what in line] if self._log.exists() else []


@asynccontextmanager
async def kannel(folder, one, more="", smpp=""):
    admin, boxes, http = (free_port(socket.SOCK_STREAM) for _ in range(3))
    host, port = one.address
    config = folder / "kannel.conf"
    config.write_text(
        CONFIG.format(
            admin=admin,
            boxes=boxes,
            http=http,
            host=host,
            port=port,
            password=PASSWORD,
            folder=folder.as_posix(),
            smpp=smpp,
        )
        + more
    )
    async with running("bearerbox", str(config), home=folder) as bearer:
        await one.until(lambda: one.access.describe()["accounts"], patience=30.0)
        async with running("smsbox", str(config), home=folder) as box:
            await bearer.says("Client connected from", patience=30.0)
            async with asyncio.timeout(30):
                while not await _answers(http):
                    await asyncio.sleep(0.05)
            yield Kannel(folder, http, box)


async def _answers(port):
    with socket.socket() as one:
        one.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
        except OSError:
            return False
    return True


ASKED = {"dlr-mask": "3", "dlr-url": "http://127.0.0.1:9/"}


@pytest.mark.parametrize("text", ["Hello Bob, 5 € [ok]", "long " * 60, "Привет " * 30])
async def test_text_and_receipt(tmp_path, text):
    coding = {} if text.isascii() or "€" in text else {"coding": "2"}
    async with house_with_smsc(tmp_path) as one, kannel(tmp_path, one) as theirs:
        phone = one.smsc.handset(PHONE)
        await theirs.send(text, **ASKED, **coding)
        got = await phone.wait_text(0, patience=20.0)
        assert (got.text.strip(), got.sender) == (text.strip(), SHOP)
        await one.until(lambda: theirs.lines("stat:DELIVRD"), patience=20.0)
        assert all("Receive DLR" in line for line in theirs.lines("stat:DELIVRD"))


async def test_a_phone_writes_and_the_service_answers(tmp_path):
    async with house_with_smsc(tmp_path) as one, kannel(tmp_path, one):
        phone = one.smsc.handset(PHONE)
        phone.send("ping", to=SHOP)
        assert (await phone.wait_text(0, patience=20.0)).text == "Echo: ping"


# ----------------------------------------------------------------- Kannel between us and a phone of its own making

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
FAKE = """
group = smsc
smsc = fake
smsc-id = fake
port = {fake}
connect-allow-ip = 127.0.0.1
reroute-smsc-id = cpm
allowed-smsc-id = fake
preferred-smsc-id = fake
"""  # without the last two it may send back to the phone what came from it: rerouting names a link, it does not choose


async def test_a_phone_behind_kannel(tmp_path):
    """Kannel's SMPP client is the peer, and hands on both ways: to and from its own stand-in for a phone."""
    if not Path(FAKESMSC).exists():
        pytest.skip("Kannel's fakesmsc is not installed (Debian: kannel-extras)")
    fake = free_port(socket.SOCK_STREAM)
    more = FAKE.format(fake=fake)
    async with house_with_smsc(tmp_path) as one, kannel(tmp_path, one, more, "reroute-smsc-id = fake") as theirs:
        bob = one.smsc.handset(PHONE)  # before anything is sent to it
        words = f"{SHOP} {PHONE[1:]} text Hello from behind Kannel"
        async with running(FAKESMSC, "-i", "0.5", "-m", "60", "-r", str(fake), words, home=tmp_path) as phone:
            got = await bob.wait_text(0, patience=20.0)
            assert (got.text, got.sender) == ("Hello from behind Kannel", SHOP)
            async with asyncio.timeout(30):  # it rejects what it would hand on while its far end has only just come
                while not re.search(rf"{SHOP} .*And.back", phone.said):
                    bob.reply("And back, 5 times")
                    await asyncio.sleep(0.5)
        assert theirs.lines("Hello from behind")
