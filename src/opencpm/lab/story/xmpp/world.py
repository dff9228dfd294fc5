"""Alice's server beside Bob's XMPP server: Prosody where it is installed, else the lab's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from opencpm.lab.town import PATIENCE, Person, Prepare, Town, Wishes
from opencpm.lab.xmpp import LabXmpp, StanzaLog
from opencpm.lab.xmpp.client import Client
from opencpm.lab.xmpp.person import Person as XmppPerson
from opencpm.lab.xmpp.prosody import COMPONENT, DOMAIN, HOST, ProsodyServer, installed

ALICE_NUMBER = "+12025550100"
ALICE_JID, BOB_JID = f"alice@{COMPONENT}", f"bob@{DOMAIN}"


class XmppWorld(Town):
    """``async with`` starts the XMPP server; :meth:`start_server` ours. ``real``: Prosody; None: if it is there."""

    def __init__(self, folder: Path, prepare: Prepare, real: bool | None = None) -> None:
        super().__init__(folder, prepare)
        self.real = installed() if real is None else real
        self.lab = LabXmpp(DOMAIN, COMPONENT)
        self.bob: XmppPerson = self.lab.person("bob")
        self.prosody: ProsodyServer | None = None

    async def __aenter__(self) -> Self:
        if self.real:
            folder = self.folder / "prosody"
            folder.mkdir()
            self.prosody = await self._stack.enter_async_context(ProsodyServer(folder))
            self.bob = Client(BOB_JID, self.prosody.passwords["bob"], (HOST, self.prosody.client_port))
            self._stack.push_async_callback(self.bob.leave)
        else:
            await self._stack.enter_async_context(self.lab)
        return self

    @property
    def log(self) -> StanzaLog:
        """What went between Bob's client and his server, or between his server and ours."""
        return self.bob.log if isinstance(self.bob, Client) else self.lab.log

    @property
    def brought(self) -> str:
        """The direction in that log of what comes from Alice."""
        return "S" if isinstance(self.bob, Client) else "C"

    async def start_server(self) -> None:
        """Settings, Alice, and the server. :raises opencpm.lab.process.ServerError:"""
        link: dict[str, Any] = self.prosody.settings if self.prosody is not None else self.lab.settings
        networks = {"xmpp": {"type": "xmpp", **link, "reconnect_min": 0.2, "reconnect_max": 1.0}}
        policy = {"order": ["xmpp"], "domains": {DOMAIN: "xmpp"}}
        alice = Person("alice", "Alice", ALICE_NUMBER)
        await self.serve(Wishes(networks=networks, sections={"policy": policy}, people=(alice,)))

    async def bob_in(self) -> None:
        """Bob's client signs in."""
        if isinstance(self.bob, Client):
            await self.bob.connect()
        else:
            await self.lab.wait_component(PATIENCE)
            self.bob.sign_in()

    async def bob_out(self) -> None:
        if isinstance(self.bob, Client):
            await self.bob.leave()
        else:
            self.bob.sign_out()
