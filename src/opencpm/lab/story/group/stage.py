"""What the steps share: the people, the group, and where to look for evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opencpm.lab.device import DeviceGroup, Entry, LabDevice
from opencpm.lab.msn.log import Line as MsnLine
from opencpm.lab.smsc import PduLine
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.group.world import PHONE, GroupWorld
from opencpm.lab.story.trails import Line, Missing, patiently
from opencpm.lab.town import DOMAIN
from opencpm.lab.world import ALICE_MSN, BOB_MSN
from opencpm.lab.xmpp import StanzaLine

ALICE, DESK = f"sip:alice@{DOMAIN}", f"sip:desk@{DOMAIN}"
BOB = f"sip:{BOB_MSN.replace('@', '%40')}@{DOMAIN}"
"""How a SIP device names somebody on a foreign network: an alias behind our domain."""
THE_PHONE = f"tel:{PHONE}"


@dataclass(slots=True)
class Stage:
    world: GroupWorld
    alice: LabDevice
    desk: LabDevice
    group: DeviceGroup | None = None
    theirs: DeviceGroup | None = None  # the group as the desk's device has it

    @property
    def carol(self) -> str:
        return f"sip:{self.world.carol.address.replace('@', '%40')}@{DOMAIN}"

    @property
    def at(self) -> DeviceGroup:
        assert self.group is not None, "no group yet"
        return self.group

    async def status(self, entity: str, wanted: str, group: DeviceGroup | None = None) -> Evidence:
        """What the last NOTIFY says of somebody, once it says this. :raises Missing:"""
        follows = group or self.at

        async def look() -> bool | None:
            return True if follows.status(entity) == wanted else None

        try:
            await patiently(f"{wanted!r} of {entity} in a NOTIFY", look)
        except Missing as missing:
            raise Missing(f"{missing}; it says {follows.status(entity)!r}") from None
        assert follows.info is not None
        return {"NOTIFY": {user.entity: follows.status(user.entity) for user in follows.info.users}}

    async def shown(self, user: str = "alice") -> Line:
        """The group as the API shows it."""
        found: Line = (await self.world.api(user).get("/groups"))[0]
        whole: Line = await self.world.api(user).get(f"/groups/{found['id']}")
        return whole

    async def member(self, address: str, user: str = "alice") -> Line:
        whole = await self.shown(user)
        return next(one for one in whole["members"] if one["address"] == address)

    async def trail(self, step: str, words: str, user: str = "alice") -> Line:
        """A line of the group's trail. :raises Missing:"""

        async def look() -> Line | None:
            lines = (await self.shown(user))["trail"]
            return next((line for line in lines if line["step"] == step and words in line["what"]), None)

        return await patiently(f"line {step!r} with {words!r} in the group's trail", look)

    # -- the far sides' own logs

    async def pdu(self, text: str) -> PduLine:
        """The submit_sm in which this stands. :raises Missing:"""

        async def look() -> PduLine | None:
            return next((p for p in self.world.smsc.log.of("submit_sm") if text in _text(p)), None)

        return await patiently(f"submit_sm with {text!r} in the log of the SMS centre", look)

    async def command(
        self, verb: str, direction: str, wanted: Callable[[MsnLine], bool] = lambda line: True, connection: str = "SB"
    ) -> MsnLine:
        """The newest command on a switchboard, or (NS) on an account's own connection. :raises Missing:"""

        async def look() -> MsnLine | None:
            lines = self.world.msn.log.of(verb, direction=direction, connection=connection)
            found = [line for line in lines if wanted(line)]
            return found[-1] if found else None

        return await patiently(f"{verb} in the log of the MSN service", look)

    async def said(self, text: str) -> MsnLine:
        """The newest text of ours on a switchboard that reads so. :raises Missing:"""
        return await self.command("MSG", "C", lambda line: line.account == ALICE_MSN and text in words_of(line))

    async def stanza(self, words: str) -> StanzaLine:
        """The newest message stanza from us with these words. :raises Missing:"""

        async def look() -> StanzaLine | None:
            found = self.world.xmpp.log.of("message", "C", words)
            return found[-1] if found else None

        return await patiently(f"message with {words!r} in the log of the XMPP server", look)

    async def heard(self, device: LabDevice, text: str) -> Entry:
        return await device.journal.wait("message", lambda entry: entry.what == text)


def _text(line: PduLine) -> str:
    return str(line.decoded().get("text", ""))


def words_of(line: MsnLine) -> str:
    """What a MSG says."""
    return (line.payload or b"").partition(b"\r\n\r\n")[2].decode("utf-8", "replace")


def heard(entry: Entry) -> Evidence:
    return {"device": {"text": entry.what, "CPIM From": entry.facts["sender"]}}


def sms(line: PduLine) -> Evidence:
    return {"SMSC log": line.decoded()}


def msn(line: MsnLine) -> Evidence:
    said = words_of(line)
    return {"MSN log": [line.text, said] if said else line.text}


def xmpp(line: StanzaLine) -> Evidence:
    return {"XMPP log": line.text}


def answer(line: Any) -> Evidence:
    return {"trail": {"step": line["step"], "what": line["what"]}}
