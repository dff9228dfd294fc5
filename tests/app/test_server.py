"""The composition root: everything built, started and stopped."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from opencpm.app import StartError, build
from opencpm.lab.http import Api
from opencpm.settings import SettingsError
from tests.app.settings_of import small


async def test_it_says_where_it_listens_and_answers(tmp_path: Path) -> None:
    app = build(small(tmp_path))
    async with app.running():
        assert set(app.endpoints) == {"sip", "web"}
        assert {"udp", "tcp"} <= set(app.endpoints["sip"])
        host, port = app.endpoints["web"]["http"]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"OpenCPM" in await reader.read()
        writer.close()
    with socket.socket() as sock:
        assert sock.connect_ex((host, port)) != 0


async def test_a_taken_port_ends_the_start_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match="web cannot start") as caught:
            async with build(small(tmp_path, web={"port": port})).running():
                pass
    assert str(port) in str(caught.value)


async def test_what_is_switched_off_is_not_there(tmp_path: Path) -> None:
    app = build(small(tmp_path, sip={"enabled": False}))
    async with app.running():
        assert set(app.endpoints) == {"web"}


async def test_an_unknown_kind_of_network_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"networks\.fax\.type.*'fax'.*installed: .*msn.*sms"):
        async with build(small(tmp_path, networks={"fax": {"type": "fax"}})).running():
            pass


async def test_a_networks_own_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"networks\.sms: .*porto"):
        async with build(small(tmp_path, networks={"sms": {"type": "sms", "porto": 1}})).running():
            pass


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(StartError, match="cannot be opened"):
        async with build(small(tmp_path)).running():
            pass


async def test_users_added_by_another_process_are_seen(tmp_path: Path) -> None:
    from opencpm.app.people import opened
    from opencpm.domain.address import Address

    settings = small(tmp_path)
    app = build(settings)
    async with app.running():
        seen = asyncio.Event()
        app.directory.watch(seen.set)
        async with opened(settings) as (_, people):
            people.add_user("desk", "Desk", "secret-password", [Address("sip", "desk@cpm.test")])
            token = people.new_token("desk", "test")
        async with asyncio.timeout(20):
            while app.directory.subscriber("desk") is None or app.directory.user_of_token(token) is None:
                seen.clear()
                await seen.wait()
        me = await Api(*app.endpoints["web"]["http"], token).get("/me")
        assert me["id"] == "desk"


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({"public_url": "https://cpm.example.com/"}, "https://cpm.example.com"),
        ({"host": "127.0.0.1", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "::1", "port": 8080}, "http://[::1]:8080"),
        ({"host": "0.0.0.0", "port": 8080}, "http://cpm.test:8080"),
    ],
)
def test_where_links_lead(tmp_path: Path, web: dict[str, object], address: str) -> None:
    assert build(small(tmp_path, web=web))._web_address() == address
