"""The connector on a trunk of the lab's exchange, with messaging's side played by the test."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, OutcomeKind
from opencpm.interfaces import Context
from opencpm.interworking.fixedline import build
from opencpm.lab.line import LabExchange
from tests.interworking.sms.support import ALICE, Clock, Directory, Ids, Inbox, State, eventually, message

BOB = Address("tel", "+12025550155")
CENTRE = "+12025550199"
LINE = "+12025550177"  # our own line, at a foreign centre
FOREIGN = "+12025550188"

__all__ = ["ALICE", "BOB", "CENTRE", "FOREIGN", "LINE", "Rig", "State", "eventually", "failed", "message", "rig"]


class LineInbox(Inbox):
    def __init__(self):
        super().__init__()
        self.away = []

    def turned_away(self, who, reason, what):
        self.away.append((who, reason, what))


def context(state=None, owned=(ALICE,), clock=None):
    return Context(name="line", clock=clock or Clock(), ids=Ids(), store=state or State(), directory=Directory(*owned))


def delivery(text="Hello Bob", id="d1", target=BOB, **fields):
    base = {
        "id": id,
        "message": message(text),
        "recipient": target,
        "network": "line",
        "source": ALICE,
        "target": target,
        "attempt": 1,
        "token": 1,
        "deadline": time.time() + 120,
        "expires_at": time.time() + 3600,
    }
    return Delivery(**{**base, **fields})


class Rig:
    def __init__(self, exchange, connector, inbox, task, handset):
        self.exchange, self.connector, self.inbox, self.task, self.bob = exchange, connector, inbox, task, handset

    def send(self, *deliveries):
        self.connector.send(deliveries)

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    @property
    def last_call(self):
        return self.exchange.log.calls[-1]


async def start(exchange, where=None, handset=None, **settings):
    host, port = exchange.address
    base = {"type": "fixedline", "host": host, "port": port, "listen_port": 0, "number": CENTRE, "name": "lab"}
    connector = build({**base, **settings}, where or context())
    inbox = LineInbox()
    task = asyncio.create_task(connector.run(inbox))
    await inbox.until(lambda: inbox.healths)
    await eventually(lambda: connector.describe()["trunks"][0]["detail"].endswith("answers"))
    exchange.connect(connector.endpoints["sip"])
    return Rig(exchange, connector, inbox, task, handset)


@asynccontextmanager
async def rig(*, where=None, protocols=(1,), terms=None, digit="", wants_reports=False, **settings):
    async with LabExchange(terms=terms) as exchange:
        options = {"protocols": protocols, "digit": digit, "wants_reports": wants_reports}
        handset = exchange.handset(BOB.value, CENTRE, **options)
        running = await start(exchange, where, handset, **settings)
        try:
            yield running
        finally:
            await running.stop()


def failed(outcome, reason, retryable):
    assert outcome.kind is OutcomeKind.FAILED
    assert (outcome.error.reason, outcome.error.retryable) == (reason, retryable)
    return outcome.error
