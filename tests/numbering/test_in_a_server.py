"""The whole server: two SMS networks, and the one that serves a number now is the one that gets its messages."""

from contextlib import asynccontextmanager

import pytest

from opencpm.app import build
from opencpm.app.dry_run import explain
from opencpm.domain.address import Address
from opencpm.lab.device import LabDevice
from opencpm.lab.smsc import LabSmsc
from opencpm.settings import SettingsError, parse

from .nameserver import nameserver, pstn

ALICE = Address("sip", "alice@cpm.test")
OWN, PORTED = "+12025550155", "+12025550177"
TOLD = pstn("tel:x;mcc=310;mnc=260")


def settings(first, second, numbers, folder):
    def link(smsc):
        return {"type": "sms", "host": smsc.address[0], "port": smsc.address[1]}

    return parse(
        {
            "domain": "cpm.test",
            "secret_key": "k" * 40,
            "data_dir": str(folder / "data"),
            "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
            "web": {"enabled": False},
            "policy": {
                "routes": [
                    {"prefix": "+1", "networks": ["first"]},
                    {"prefix": "", "networks": ["second"], "carrier": "310-260"},
                ]
            },
            "numbers": numbers,
            "networks": {"first": link(first), "second": link(second)},
        },
        folder,
    )


@asynccontextmanager
async def town(folder, numbers):
    async with LabSmsc() as first, LabSmsc() as second:
        chosen = settings(first, second, numbers, folder)
        async with build(chosen).running() as app:
            app.directory.add_user("alice", "Alice", "alice-knows", [ALICE, Address("tel", "+12025550100")])
            await first.wait_bound()
            await second.wait_bound()
            tcp = ("127.0.0.1", app.endpoints["sip"]["tcp"][1])
            async with LabDevice(str(ALICE), "alice-knows", tcp) as device:
                assert await device.register() == 200
                yield first, second, device, chosen, app


async def arrives(smsc, device, number, text):
    phone = smsc.handset(number)
    await device.message(f"sip:{number}@cpm.test", text)
    assert (await phone.wait_text(0)).text == text


async def test_by_the_operators_table(tmp_path):
    (tmp_path / "ported.csv").write_text(f"{PORTED},310260\n")
    async with town(tmp_path, {"table": "ported.csv"}) as (first, second, device, _, _):
        await arrives(first, device, OWN, "to the range")
        await arrives(second, device, PORTED, "to the new carrier")
        assert first.taken == 1


async def test_by_enum(tmp_path):
    async with nameserver() as server:
        server.number(PORTED, TOLD)
        async with town(tmp_path, {"enum": True, "enum_servers": [server.address]}) as (first, second, device, _, app):
            await arrives(first, device, OWN, "to the range")
            await arrives(second, device, PORTED, "to the new carrier")
            assert len(server.asked) == 2
            contact = app.directory.contact("alice", Address("tel", PORTED)).id
            ((record, _),) = app.store.history("alice", contact)
            selected = next(line for line in app.store.trail(record.message.id) if line.step.value == "selected")
            assert "served by 310260 (ENUM)" in selected.data


async def test_without_an_answer_the_message_goes_by_its_range(tmp_path):
    async with nameserver() as server:
        server.silent = True
        numbers = {"enum": True, "enum_servers": [server.address], "enum_timeout": 0.2}
        async with town(tmp_path, numbers) as (first, _, device, _, _):
            await arrives(first, device, PORTED, "as ever")
            assert server.asked


async def test_the_dry_run_asks_as_well(tmp_path):
    async with nameserver() as server:
        server.number(PORTED, TOLD)
        numbers = {"enum": True, "enum_servers": [server.address]}
        async with town(tmp_path, numbers) as (_, _, _, chosen, _):
            plan = await explain(chosen, "alice", Address("tel", PORTED), "Hello", "", False)
            assert "served by 310260 (ENUM)" in str(plan)
            assert server.asked


async def test_a_table_that_is_not_there_stops_the_start(tmp_path):
    async with LabSmsc() as smsc:
        chosen = settings(smsc, smsc, {"table": "nothing.csv"}, tmp_path)
        with pytest.raises(SettingsError, match=r"nothing\.csv"):
            async with build(chosen).running():
                raise AssertionError("it started")
