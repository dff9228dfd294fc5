"""What the demo's page shows and does on Bob's side: his phones, his MSN window, the faults, the story."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.middleware.cors import CORSMiddleware

from opencpm.lab.demo_home import HomeDesk
from opencpm.lab.msn_window import MsnWindow
from opencpm.lab.story.concert import tell
from opencpm.lab.world import ALICE_MSN, ALICE_NUMBER, BOB_MSN, BOB_NUMBER, HOME_NUMBER, World
from opencpm.protocols.msnp import commands

LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
HEARTBEAT = 15.0
PACE = 0.8  # seconds between the steps of the story, for people who watch
MAX_BEHIND = 1000  # events kept for a page that does not read


class TextIn(BaseModel):
    text: str = Field(min_length=1, max_length=2000)


class StatusIn(BaseModel):
    status: Literal["NLN", "BSY", "AWY", "FLN"]


class FaultIn(BaseModel):
    kind: Literal["down", "up", "throttle", "undeliverable", "none"]


class HomeFaultIn(BaseModel):
    kind: Literal["none", "busy", "packet"]


class StoryIn(BaseModel):
    break_sms: bool = False


class LabDesk:
    """The lab as the page sees it, and those who watch."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.window = MsnWindow(world.bob, self.tell_msn)
        self._watchers: set[asyncio.Queue[dict[str, Any]]] = set()
        self._story: asyncio.Task[None] | None = None
        self.home = HomeDesk(world.home, self.tell) if world.home is not None else None
        world.smsc.subscribe(lambda _: self.tell({"type": "phone", **self.phone()}))

    # -- what is shown ---------------------------------------------------------------------------------------

    def phone(self) -> dict[str, Any]:
        phone = self.world.phone
        received = [
            {"direction": "received", "text": t.text, "at": t.at, "peer": t.sender, "status": "received"}
            for t in phone.texts
        ]
        sent = [{"direction": "sent", "text": t.text, "at": t.at, "peer": t.to, "status": t.status} for t in phone.sent]
        return {"number": phone.number, "messages": sorted(received + sent, key=lambda m: float(str(m["at"])))}

    def tell_msn(self) -> None:
        self.tell({"type": "msn", **self.window.shown()})

    def tell(self, event: dict[str, Any]) -> None:
        for queue in tuple(self._watchers):
            if queue.qsize() < MAX_BEHIND:
                queue.put_nowait(event)

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: the present state first, then every change."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield _event({"type": "phone", **self.phone()})
            yield _event({"type": "msn", **self.window.shown()})
            if self.home is not None:
                yield _event({"type": "home", **self.home.shown()})
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        event = await queue.get()
                except TimeoutError:
                    yield ": here\n\n"
                else:
                    yield _event(event)
        finally:
            self._watchers.discard(queue)

    # -- what is done ----------------------------------------------------------------------------------------

    async def fault(self, kind: str) -> None:
        smsc = self.world.smsc
        if kind == "down":
            await smsc.down()
        elif kind == "throttle":
            smsc.faults.throttle = 3
        elif kind == "undeliverable":
            smsc.undeliverable(BOB_NUMBER)
        else:
            smsc.faults.clear()
            await smsc.up()

    def start_story(self, break_sms: bool) -> bool:
        """False: it is being told already."""
        if self._story is not None and not self._story.done():
            return False
        self._story = asyncio.create_task(self._tell_story(break_sms))
        return True

    async def _tell_story(self, break_sms: bool) -> None:
        try:
            async for result in tell(self.world, break_sms=break_sms, pace=PACE):
                self.tell({"type": "story", **result._asdict()})
        except Exception as error:  # noqa: BLE001 - whatever it is, the page is told
            self.tell({"type": "story", "step": 0, "ok": False, "what": f"{type(error).__name__}: {error}"})
        self.tell({"type": "story", "done": True, "what": "The story is told."})

    async def status(self, status: str) -> None:
        bob = self.world.bob
        if status == commands.OFFLINE:
            await bob.sign_out()
        elif not bob.online:
            await bob.sign_in(status)
        else:
            bob.set_status(status)
        self.window.status = status
        self.tell_msn()


def lab_api(desk: LabDesk) -> FastAPI:
    """The application; pages of this machine only may use it."""
    app = FastAPI(title="OpenCPM demo: Bob's side", docs_url=None, redoc_url=None)
    app.add_middleware(
        CORSMiddleware, allow_origin_regex=LOOPBACK, allow_methods=["GET", "POST"], allow_headers=["Content-Type"]
    )
    for part in (_watching, _phone, _msn, _story):
        app.include_router(part(desk), prefix="/lab")
    if desk.home is not None:
        app.include_router(_home(desk.home), prefix="/lab/home")
    return app


def _watching(desk: LabDesk) -> APIRouter:
    router = APIRouter()

    @router.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(desk.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return router


def _phone(desk: LabDesk) -> APIRouter:
    router = APIRouter()

    @router.get("/phone")
    async def phone() -> dict[str, Any]:
        return desk.phone()

    @router.post("/phone/send", status_code=202)
    async def send(body: TextIn) -> dict[str, Any]:
        desk.world.phone.send(body.text, ALICE_NUMBER)
        desk.tell({"type": "phone", **desk.phone()})
        return desk.phone()

    @router.post("/sms/fault", status_code=202)
    async def fault(body: FaultIn) -> dict[str, Any]:
        await desk.fault(body.kind)
        return {"kind": body.kind}

    return router


def _home(home: HomeDesk) -> APIRouter:
    router = APIRouter()

    @router.get("")
    async def shown() -> dict[str, Any]:
        return home.shown()

    @router.post("/send", status_code=202)
    async def send(body: TextIn) -> dict[str, Any]:
        home.send(body.text)
        return home.shown()

    @router.post("/fault", status_code=202)
    async def fault(body: HomeFaultIn) -> dict[str, Any]:
        home.fault(body.kind)
        return {"kind": body.kind}

    @router.get("/calls/{call}/sound")
    async def sound(call: str) -> dict[str, Any]:
        return _known(home.sound(call))

    @router.get("/calls/{call}/bursts/{index}")
    async def burst(call: str, index: int) -> dict[str, Any]:
        return _known(home.burst(call, index))

    return router


def _known(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise HTTPException(404, "the lab has no such call")
    return found


def _msn(desk: LabDesk) -> APIRouter:
    router = APIRouter(prefix="/msn")

    @router.get("")
    async def window() -> dict[str, Any]:
        return desk.window.shown()

    @router.post("/send", status_code=202)
    async def send(body: TextIn) -> dict[str, Any]:
        await _open(desk)
        desk.world.bob.chat.send(body.text)
        return desk.window.shown()

    @router.post("/typing", status_code=202)
    async def typing() -> dict[str, Any]:
        if desk.world.bob.chats:
            desk.world.bob.chat.typing()
        return desk.window.shown()

    @router.post("/open", status_code=202)
    async def open_() -> dict[str, Any]:
        await _open(desk)
        return desk.window.shown()

    @router.post("/close", status_code=202)
    async def close() -> dict[str, Any]:
        for chat in tuple(desk.world.bob.chats):
            chat.leave()
        return desk.window.shown()

    @router.post("/status", status_code=202)
    async def status(body: StatusIn) -> dict[str, Any]:
        await desk.status(body.status)
        return desk.window.shown()

    return router


def _story(desk: LabDesk) -> APIRouter:
    router = APIRouter()

    @router.post("/story/start", status_code=202)
    async def start(body: StoryIn) -> dict[str, Any]:
        if not desk.start_story(body.break_sms):
            raise HTTPException(409, "the story is being told")
        return {"started": True}

    return router


async def _open(desk: LabDesk) -> None:
    """Bob opens a window with Alice, unless one is open."""
    bob = desk.world.bob
    if bob.chats:
        return
    if not bob.online:
        raise HTTPException(409, "Bob is not signed in")
    try:
        await bob.start_chat(ALICE_MSN)
    except (ConnectionError, TimeoutError) as error:
        raise HTTPException(409, f"Alice cannot be reached on MSN: {error}") from error


def card(lab_url: str, token: str) -> dict[str, str]:
    """What the server's /demo.json tells the page."""
    bob = {"bob_number": BOB_NUMBER, "bob_home": HOME_NUMBER, "bob_msn": BOB_MSN}
    return {"lab": lab_url, "alice_token": token, **bob}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"
