"""Proofs for every kind of login, and tickets for the web services while they live."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from opencpm.interworking.msn.proof import Denied, Proof
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.msn.web import Web, tls_context
from opencpm.lab.msn import LabMsn
from opencpm.protocols.msnp import rst, sso
from opencpm.protocols.msnp.dialects import Login
from opencpm.protocols.msnp.events import TicketWanted
from tests.interworking.msn.stage import ALICE

TOKEN = TicketWanted("MBI_KEY_OLD", Login.TOKEN, "nonce", True)


class Rig:
    def __init__(self, lab: LabMsn, **settings: str) -> None:
        self.lab, self.ahead = lab, 0.0
        self.settings = MsnSettings(**{**lab.settings, **settings})  # type: ignore[arg-type]
        self.web = Web(self.settings, tls_context(self.settings))
        self.proof = Proof(ALICE, self.settings, self.web, lambda: time.time() + self.ahead)
        self.proof.password = lab.account(ALICE).password

    def asked(self, what: str) -> int:
        return len([line for line in self.lab.log if line.direction == "C" and what in line.text])


@pytest.fixture
async def rig(lab: LabMsn) -> AsyncIterator[Rig]:
    rig = Rig(lab)
    yield rig
    await rig.web.close()


async def test_md5_asks_nobody(rig: Rig) -> None:
    ticket, response = await rig.proof.answer(TicketWanted("challenge", Login.MD5))
    assert (len(ticket), response) == (32, "")
    assert len(rig.lab.log) == 0


async def test_passport_goes_by_the_nexus_once(rig: Rig) -> None:
    first, _ = await rig.proof.answer(TicketWanted("ct=1"))
    second, _ = await rig.proof.answer(TicketWanted("ct=1"))
    assert first != second
    assert (rig.asked("pprdr"), rig.asked("/login")) == (1, 2)
    assert await rig.proof.token(rst.LEGACY) == second


async def test_a_token_with_its_response(rig: Rig) -> None:
    token, response = await rig.proof.answer(TOKEN)
    assert sso.proves(response, "nonce", rig.lab._world.tokens[token].secret)
    contacts = await rig.proof.token(rst.CONTACTS)
    assert rig.lab._world.tokens[contacts].service == rst.CONTACTS
    assert rig.asked("RST") == 1


async def test_versions_13_and_14_take_a_ticket_of_the_token_service(rig: Rig) -> None:
    ticket, response = await rig.proof.answer(TicketWanted("ct=1", Login.TICKET, "", True))
    assert rig.lab._world.tokens[ticket].service == rst.LEGACY
    assert response == ""


async def test_tokens_are_renewed_before_they_run_out(rig: Rig) -> None:
    await rig.proof.answer(TOKEN)
    first = await rig.proof.token(rst.CONTACTS)
    rig.ahead = rig.lab.token_life - 400
    assert await rig.proof.token(rst.CONTACTS) == first
    rig.ahead = rig.lab.token_life - 200
    assert await rig.proof.token(rst.CONTACTS) != first
    assert rig.asked("RST") == 2


@pytest.mark.parametrize("wanted", [TicketWanted("ct=1"), TOKEN, TicketWanted("ct=1", Login.TICKET, "", True)])
async def test_a_wrong_password_is_told_from_trouble(rig: Rig, wanted: TicketWanted) -> None:
    rig.proof.password = "wrong"
    with pytest.raises(Denied) as denied:
        await rig.proof.answer(wanted)
    assert denied.value.credentials
    rig.lab.faults.passport_status = 503
    with pytest.raises(Denied) as denied:
        await rig.proof.answer(wanted)
    assert not denied.value.credentials
    await rig.lab.down()
    with pytest.raises(Denied) as denied:
        await rig.proof.answer(wanted)
    assert not denied.value.credentials


async def test_a_login_address_that_no_longer_works_is_asked_for_again(rig: Rig) -> None:
    await rig.proof.answer(TicketWanted("ct=1"))
    rig.lab.faults.passport_status = 404
    with pytest.raises(Denied):
        await rig.proof.answer(TicketWanted("ct=1"))
    rig.lab.faults.clear()
    await rig.proof.answer(TicketWanted("ct=1"))
    assert rig.asked("pprdr") == 2
