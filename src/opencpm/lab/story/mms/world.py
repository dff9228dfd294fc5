"""Alice's server, and Bob's network with its MMS centre and its SMS centre; one phone, of the class image-rich."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from opencpm.lab.mmsc import LabMmsc
from opencpm.lab.smsc import LabSmsc
from opencpm.lab.town import DOMAIN, PATIENCE, Friend, Person, Prepare, Town, Wishes
from opencpm.lab.world import smsc_link

ALICE, ALICE_NUMBER = f"sip:alice@{DOMAIN}", "+12025550100"
BOB_NUMBER = "+12025550101"
CLASS = "image-rich"
_VASP, _MMSC = ("opencpm", "sesame"), ("mmsc", "open sesame")


class MmsWorld(Town):
    """Bob's phone takes texts from the SMS centre and multimedia messages from the MMS centre."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        super().__init__(folder, prepare)
        self.smsc = LabSmsc(accounts={"opencpm": "sesame"})
        self.mmsc = LabMmsc(vasps=dict([_VASP]))
        self.texts = self.smsc.handset(BOB_NUMBER)
        self.phone = self.mmsc.phone(BOB_NUMBER, CLASS)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.smsc)
        await self._stack.enter_async_context(self.mmsc)
        return self

    async def start_server(self) -> None:
        """Settings, Alice, and the server; returns when both centres and the server have found each other.

        :raises opencpm.lab.process.ServerError: :raises TimeoutError: a link did not come up.
        """
        alice = Person("alice", "Alice", ALICE_NUMBER)
        bob = Friend("alice", "Bob", (f"tel:{BOB_NUMBER}",))
        networks = {"mms": self._mms(), "sms": smsc_link(self.smsc)}
        sections = {"policy": {"order": ["sms", "mms"]}}
        await self.serve(Wishes(networks=networks, sections=sections, people=(alice,), friends=(bob,)))
        host, port = self.server.endpoints["mms"]["http"]
        self.mmsc.reach(f"http://{host}:{port}/mm7", *_MMSC)
        await self.smsc.wait_bound(1, PATIENCE)

    def _mms(self) -> dict[str, Any]:
        """The contract with the operator of the centre."""
        return {
            "type": "mm7",
            "url": self.mmsc.url,
            "username": _VASP[0],
            "password": _VASP[1],
            "vasp_id": "opencpm",
            "listen": {"port": 0, "username": _MMSC[0], "password": _MMSC[1]},
            "content_class": CLASS,
            "read_to_display": True,
        }
