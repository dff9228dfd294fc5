"""A stand-in for the demo's lab: the same addresses and shapes, fed by the test networks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import StreamingResponse

from opencpm.domain.delivery import Delivery
from opencpm.domain.profile import HealthState
from opencpm.domain.session import CloseReason, Composing
from tests.access.web.world import BOB_MSN, BOB_PHONE, World


class Lab:
    """Bob's phone and MSN window over the test networks of ``world``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.phone: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []
        self.typing = False
        self.status = "NLN"
        self.changed = asyncio.Condition()
        self.seen_sms = 0
        self.seen_im = 0

    def look(self) -> None:
        """Take over what the test networks were given since."""
        for delivery in self.world.sms.sent[self.seen_sms :]:
            self._arrived(delivery)
        self.seen_sms = len(self.world.sms.sent)
        got = [d for leg in self.world.msn.legs for d in leg.got]
        for delivery in got[self.seen_im :]:
            self.said.append({"from": "alice@msn.test", "text": delivery.message.text, "at": time.time()})
        self.seen_im = len(got)
        legs = self.world.msn.legs
        self.typing = bool(legs and legs[-1].typing and legs[-1].typing[-1])

    def _arrived(self, delivery: Delivery) -> None:
        self.phone.append(
            {"direction": "received", "text": delivery.message.text, "at": time.time(), "peer": "Alice", "status": ""}
        )
        self.world.sms.receipt(delivery)

    def leg(self) -> Any:
        legs = [leg for leg in self.world.msn.legs if not leg.closed.is_set()]
        return legs[-1] if legs else None

    def phone_view(self) -> dict[str, Any]:
        return {"number": BOB_PHONE.value, "messages": self.phone}

    def msn_view(self) -> dict[str, Any]:
        window = {
            "open": self.leg() is not None,
            "peer": "alice@msn.test",
            "typing": self.typing,
            "messages": self.said,
        }
        return {"address": BOB_MSN.value, "status": self.status, "window": window}


def lab_app(lab: Lab) -> FastAPI:
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])

    @app.get("/lab/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_events(lab), media_type="text/event-stream")

    @app.get("/lab/phone")
    async def phone() -> dict[str, Any]:
        return lab.phone_view()

    @app.get("/lab/msn")
    async def msn() -> dict[str, Any]:
        return lab.msn_view()

    @app.post("/lab/phone/send")
    async def reply(request: Request) -> dict[str, Any]:
        text = (await request.json())["text"]
        lab.phone.append({"direction": "sent", "text": text, "at": time.time(), "peer": "Alice", "status": "sent"})
        lab.world.sms.incoming(text)
        return {}

    @app.post("/lab/msn/{what}")
    async def act(what: str, request: Request) -> dict[str, Any]:
        leg = lab.leg()
        if what == "send" and leg:
            text = (await request.json())["text"]
            lab.said.append({"from": BOB_MSN.value, "text": text, "at": time.time()})
            leg.say(text)
        elif what == "typing" and leg:
            leg.events.composing(Composing(True))
        elif what == "close" and leg:
            leg.closed.set()
            leg.events.closed(CloseReason.LEFT)
        return {}

    @app.post("/lab/sms/fault")
    async def fault(request: Request) -> dict[str, Any]:
        down = (await request.json())["kind"] == "down"
        lab.world.sms.state = HealthState.DOWN if down else HealthState.UP
        lab.world.messaging.health_changed("sms", lab.world.sms.health())
        return {}

    return app


async def _events(lab: Lab) -> AsyncIterator[str]:
    before: tuple[str, str] = ("", "")
    while True:
        lab.look()
        now = (json.dumps({"type": "phone", **lab.phone_view()}), json.dumps({"type": "msn", **lab.msn_view()}))
        for old, new in zip(before, now, strict=True):
            if old != new:
                yield f"data: {new}\n\n"
        before = now
        await asyncio.sleep(0.03)
