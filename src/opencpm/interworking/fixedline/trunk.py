"""A trunk as the connector sees it: whether it is there, and the calls on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opencpm.protocols.telephone.events import Credentials
from opencpm.protocols.telephone.registration import Registration
from opencpm.transport.flow import Flow
from opencpm.transport.telephone import Telephone

from .settings import TrunkSettings
from .visit import Visit

_SOON = 5.0
_PATIENCE = 5.0
_LATER = 60.0


class Trunk:
    """``up`` by its answers: to OPTIONS every ``keep_alive`` seconds, and to every call; at first it is believed to
    be."""

    def __init__(self, settings: TrunkSettings) -> None:
        self.settings = settings
        self.flow: Flow | None = None
        self.up = True
        self.detail = "not asked yet"
        self.visits: set[Visit] = set()
        self.account = "" if not settings.register_for else "not registered yet"
        self._down_at: float | None = None
        self._account: Registration | None = None
        self._register_at = 0.0

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def host(self) -> str:
        """As it stands in requests."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def free(self) -> bool:
        return len(self.visits) < self.settings.calls

    async def watch(self, phone: Telephone, found: Callable[[], None]) -> None:
        """Find the trunk (then ``found`` is called) and ask whether it is there, again and again."""
        loop = asyncio.get_running_loop()
        self._down_at = loop.time() + _PATIENCE
        while True:
            try:
                self.flow = phone.flow_to(await phone.resolve(self.settings.host, self.settings.port))
            except OSError as error:
                self.up, self.detail = False, f"{self.settings.host}: {error.strerror or error}"
            else:
                if self.settings.keep_alive:
                    phone.ping(self.flow, self.host, self)
                else:
                    self.up, self.detail, self._down_at = True, "not asked (keep_alive = 0)", None
                self._register(phone, self.flow, loop.time())
                found()
            await asyncio.sleep(self.settings.keep_alive if self.up and self.settings.keep_alive else _SOON)

    def _register(self, phone: Telephone, flow: Flow, now: float) -> None:
        """Register the account, when its registration is about to end."""
        settings = self.settings
        if not settings.register_for or now < self._register_at:
            return
        if self._account is None or self._account.flow is not flow:
            credentials = Credentials(settings.user, settings.password)
            self._account = phone.account(flow, self.host, credentials, settings.register_for, self)
        phone.register(self._account)

    def registered(self, status: int, expires: int, now: float) -> None:
        """What the trunk said to that; a refusal is not asked again for a while, since accounts get locked."""
        self.answered(status, now)
        self.account = "registered" if status == 200 else f"registration refused: {status}" if status else "no answer"
        self._register_at = now + (max(_SOON, expires / 2) if status == 200 else _LATER if status else _SOON)

    def answered(self, status: int, now: float) -> None:
        """It answered something."""
        if status:
            self.up, self.detail = True, f"{self.host} answers"
            self._down_at = now + self.settings.keep_alive + _PATIENCE if self.settings.keep_alive else None

    def judge(self, now: float) -> None:
        """Down when it has not answered for longer than it is asked."""
        if self.up and self._down_at is not None and now > self._down_at:
            self.up, self.detail = False, f"{self.host} does not answer"

    def in_call(self, number: str) -> int:
        """Calls of ours to a number."""
        return sum(visit.outgoing and visit.line == number for visit in self.visits)
