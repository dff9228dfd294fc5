"""Everything between one account and one buddy: switchboards, what is under way, the session if there is one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import LegEvents
from opencpm.interworking.msn import inbound, reasons
from opencpm.interworking.msn.board import Board
from opencpm.interworking.msn.files import Files
from opencpm.interworking.msn.invitation import Invitation
from opencpm.interworking.msn.leg import TYPING_LAPSE, MsnLeg
from opencpm.interworking.msn.outbound import Outbound, Settle
from opencpm.protocols.msnp import commands, events
from opencpm.protocols.msnp.commands import Ring
from opencpm.protocols.msnp.errors import Kind, MsnpError, Trouble

if TYPE_CHECKING:
    from opencpm.interworking.msn.account import Account

log = logging.getLogger("opencpm.interworking.msn")


class Conversation:
    """The account's talk with `peer`, alone or in a group. One switchboard is used in both directions; where both sides
    opened one, the newest that the peer is in. A session outlives its switchboard when that is lost or falls asleep:
    the next text opens another. It ends when the peer closes the window, goes offline, or cannot be had back."""

    def __init__(self, account: Account, peer: str, group: str = "") -> None:
        self._account, self._desk = account, account.desk
        self.peer = peer
        self.key = peer, group
        self._boards: list[Board] = []
        self._out = Outbound(self._desk, peer)
        self._leg: MsnLeg | None = None
        self._opening: asyncio.Task[Board] | None = None
        self._joining: tuple[Board, asyncio.Future[Board]] | None = None
        self._ringing: list[Callable[[], None]] = []
        self._invitation = Invitation(self._desk, peer, account.address, self._page)
        self._leaving: asyncio.Task[None] | None = None  # texts with the service, for a peer who is offline
        self._timer: asyncio.TimerHandle | None = None
        self._files: dict[Board, Files] = {}
        self._told_no_files = False

    @property
    def board(self) -> Board | None:
        """The switchboard on which a message reaches the peer now."""
        return next((board for board in reversed(self._boards) if board.has(self.peer)), None)

    @property
    def idle(self) -> bool:
        """Nothing is going on here."""
        busy = self._opening or self._leg or self._leaving
        return not self._boards and busy is None and not self._out.backlog()

    @property
    def asleep(self) -> bool:
        """A session stands, and no switchboard."""
        return self._leg is not None and not self._boards and self._opening is None

    @property
    def boards(self) -> int:
        return len(self._boards)

    # --- towards the buddy ---------------------------------------------------------------------------------------

    def deliver(self, deliveries: Sequence[Delivery], settle: Settle) -> None:
        """Send texts, opening a switchboard where there is none; each is settled once."""
        home = self._account.home(self)
        if home is not self:  # this one had ended and another has begun
            home.deliver(deliveries, settle)
            return
        self._out.take(deliveries, settle)
        self._push()
        self._arm()
        self._account.tidy(self)

    def show_typing(self) -> None:
        """Tell the peer that somebody is typing; dropped when nobody is there."""
        board = self.board
        if board is not None:
            board.typing()

    async def open(self, offer: SessionOffer, leg_events: LegEvents) -> MsnLeg:
        """Have a session with the peer. Raises SendError."""
        self._account.check()
        status = self._account.buddies.status(self.peer)
        busy = status in (commands.BUSY, commands.ON_THE_PHONE)
        if busy and self._desk.settings.busy == "refuse":
            self._account.tidy(self)
            raise reasons.busy(self.peer, status)
        self._ringing.append(leg_events.ringing)
        try:
            await self._have_board()
        except asyncio.CancelledError:
            self._abandon()
            raise
        finally:
            self._ringing.remove(leg_events.ringing)
        if self.board is None:
            raise reasons.declined(self.peer)
        leg = MsnLeg(self, offer.id, self._desk.name)
        leg.attach(leg_events)
        self._end_leg(CloseReason.REPLACED, "another session has the conversation now")
        self._leg = leg
        return leg

    async def close(self, leg: MsnLeg) -> str:
        """End a leg; answers with what the service did."""
        if leg is not self._leg:
            return "the conversation had ended"
        self._leg = None
        return await self.leave()

    async def leave(self) -> str:
        """Leave every switchboard and wait for the service to close them."""
        boards = tuple(self._boards)
        for board in boards:
            board.leave()
        for board in boards:
            await board.gone.wait()
        return boards[-1].ending if boards else "nobody was there any more"

    def shut(self, reason: CloseReason, detail: str) -> None:
        """The account goes away: end the session, leave, fail what waits."""
        self._end_leg(reason, detail)
        self._out.fail(reasons.down(detail))
        for task in (self._opening, self._leaving):
            if task is not None:
                task.cancel()
        for board in tuple(self._boards):
            board.leave()

    def _push(self) -> None:
        if not self._out.waits or self._leaving is not None:
            return
        board = self.board
        if board is not None:
            self._out.flush(board)
        elif self._opening is None:
            if self._leg is None and self._account.offline.at_once(self.peer):
                self._leave_offline()
            else:
                self._start_opening()

    def _arm(self) -> None:
        """One timer for the earliest deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._out.next_deadline()
        if deadline is not None:
            delay = max(deadline - self._desk.clock.now(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._out.expire(self._desk.clock.now())
        self._arm()

    # --- for a peer who is offline -------------------------------------------------------------------------------

    def _leave_offline(self) -> None:
        self._leaving = self._desk.spawn(self._leave_all())
        self._leaving.add_done_callback(self._all_left)

    async def _leave_all(self) -> None:
        jobs = self._out.take_back()
        try:
            while jobs:
                job = jobs[0]
                try:
                    said = await self._account.offline.leave(self.peer, job)
                except SendError as error:
                    self._out.finish(job, error, "offline message")
                else:
                    self._out.finish(job, None, "offline message", said)
                jobs.pop(0)
        finally:
            for job in jobs:  # cancelled
                self._out.finish(job, reasons.down("the account is signed out"), "MSN")

    def _all_left(self, task: asyncio.Task[None]) -> None:
        self._leaving = None
        if not task.cancelled() and task.exception() is not None:
            log.error("leaving offline messages for %s failed", self.peer, exc_info=task.exception())
        self._push()
        self._account.tidy(self)

    # --- opening -------------------------------------------------------------------------------------------------

    async def _have_board(self) -> Board:
        if self.board is not None:
            return self.board
        task = self._opening or self._start_opening()
        return await asyncio.shield(task)

    def _start_opening(self) -> asyncio.Task[Board]:
        task: asyncio.Task[Board] = self._desk.spawn(self._open_board())
        self._opening = task
        task.add_done_callback(self._opened)
        return task

    def _opened(self, task: asyncio.Task[Board]) -> None:
        self._opening = None
        if task.cancelled():
            self._out.fail(reasons.down("the attempt was given up"))
        elif (error := task.exception()) is None:
            self._push()
        else:
            self._not_opened(error if isinstance(error, SendError) else reasons.down("internal error"))
        self._account.tidy(self)

    def _not_opened(self, error: SendError) -> None:
        """No switchboard with the peer in it: a session cannot go on; texts may be left with the service."""
        if self.board is not None:  # the peer has opened one meanwhile
            self._push()
            return
        self._end_leg(CloseReason.LOST, error.detail)
        if error.reason is Reason.OFFLINE and self._out.waits and self._account.offline.possible(self.peer):
            self._leave_offline()
        else:
            self._out.fail(error)

    def _abandon(self) -> None:
        """Whoever wanted a session has gone; messages that wait keep the attempt alive."""
        if self._opening is not None and not self._out.waits:
            self._opening.cancel()

    async def _open_board(self) -> Board:
        self._account.check()
        async with self._account.passes.place():
            await self._account.listing.know(self.peer)
            entry = await self._account.passes.get()
            board = self._account.board(entry, "", self.hear)
            try:
                return await self._invite_peer(board)
            except BaseException:
                board.leave()
                raise

    async def _invite_peer(self, board: Board) -> Board:
        joined: asyncio.Future[Board] = asyncio.get_running_loop().create_future()
        self._joining = board, joined
        self._add(board)
        try:
            await board.enter()
            return await joined
        except OSError as error:
            self._forget(board)
            raise reasons.down("the switchboard cannot be reached") from error
        finally:
            self._joining = None

    async def answer(self, ring: Ring) -> None:
        """The peer opened a switchboard: go in at once."""
        board = self._account.board(ring.entry, ring.session, self.hear)
        self._add(board)
        try:
            await board.enter()
        except OSError:
            self._forget(board)

    def _add(self, board: Board) -> None:
        self._desk.counters.switchboards += 1
        self._boards.append(board)

    def _forget(self, board: Board) -> None:
        if board in self._boards:
            self._boards.remove(board)
        self._files.pop(board, None)
        self._account.tidy(self)

    # --- from the buddy ------------------------------------------------------------------------------------------

    def hear(self, board: Board, event: events.SwitchboardEvent) -> None:
        """One event of one of our switchboards."""
        match event:
            case events.Accepted(trid):
                self._out.accepted(board, trid)
            case events.Lost(_, cause, True):
                # In a session a closed window is the peer's last word; else what they did not get is sent again.
                self._out.recall(board, cause, again=self._leg is None or not board.emptied)
            case events.Lost(trid, cause):
                self._out.lost(board, trid, cause)
            case events.Text(sender, name, text):
                self._said(board, sender, name, text)
            case events.Typing(sender):
                self._typed(sender)
            case events.Nudged(sender):
                if self._desk.settings.nudge_text:
                    self._said(board, sender, board.name_of(sender), self._desk.settings.nudge_text)
            case events.Offered(cookie=cookie):
                self._offered(board, cookie)
            case events.PeerData(sender, said):
                self._files_in(board).hear(sender, said)
            case _:
                self._hear_set_up(board, event)

    def _hear_set_up(self, board: Board, event: events.SwitchboardEvent) -> None:
        match event:
            case events.Admitted():
                if not board.incoming:
                    board.call(self.peer)
                self._push()
            case events.Ringing():
                for ringing in tuple(self._ringing):
                    ringing()
            case events.Joined(address) if address == self.peer:
                self._settle_join(board, None)
                self._push()
            case events.Refused(trouble=trouble, subject=who):
                self._settle_join(board, self._refusal(trouble, who))
            case events.NoAnswer(address, rang):
                self._settle_join(board, reasons.no_answer(address, rang))
            case events.Left(address, idle, remaining):
                self._left(board, address, idle, remaining)
            case events.Idle():
                if self._leg is None:
                    board.leave()
            case events.Failed() | events.Closed():
                self._closed(board)
            case _:
                pass

    def _settle_join(self, board: Board, error: SendError | None) -> None:
        """The switchboard being opened has the peer in it, or never will."""
        if self._joining is None or self._joining[0] is not board or self._joining[1].done():
            return
        if error is None:
            self._joining[1].set_result(board)
        else:
            self._joining[1].set_exception(error)

    def _refusal(self, trouble: Trouble | None, who: str) -> SendError:
        if trouble is None:
            return reasons.no_answer(who, False)
        if trouble.kind is Kind.OFFLINE:
            self._account.buddies.absent(self.peer)
        return reasons.refused(trouble, who or self.peer)

    def _left(self, board: Board, address: str, idle: bool, remaining: int) -> None:
        if remaining == 0:
            board.leave()
        if address == self.peer and self.board is None and not idle:
            self._end_leg(CloseReason.LEFT, f"{address} left the conversation")
        self._push()

    def _closed(self, board: Board) -> None:
        self._forget(board)
        self._settle_join(board, reasons.down(board.ending or "connection lost"))
        self._push()

    def peer_is_offline(self) -> None:
        """The service says that the peer has signed out: a session without a switchboard is over."""
        if self.board is None and self._opening is None:
            self._end_leg(CloseReason.LEFT, f"{self.peer} went offline")
            self._account.tidy(self)

    def _end_leg(self, reason: CloseReason, detail: str) -> None:
        leg, self._leg = self._leg, None
        self._invitation.withdraw()
        if leg is not None:
            leg.ended(reason, detail)

    def _typed(self, sender: str) -> None:
        if self._leg is not None and sender == self.peer:
            self._leg.typed()
        else:
            to = Address("msn", self._account.address)
            self._desk.inbox.composing(Address("msn", sender), to, Composing(True, TYPING_LAPSE))

    def _files_in(self, board: Board) -> Files:
        """The file transfers of a switchboard."""
        if board not in self._files:
            account = self._account
            refused = partial(self._offered, board, "")
            self._files[board] = Files(self._desk, board, account.address, account.listing.dialect, refused)
        return self._files[board]

    def _offered(self, board: Board, cookie: str) -> None:
        """A file or the like that is not taken: refuse it, and say so once."""
        try:
            if cookie:
                board.decline(cookie)
            if self._desk.settings.no_files_text and not self._told_no_files:
                self._told_no_files = True
                board.text(self._desk.settings.no_files_text)
        except MsnpError:
            pass  # the peer has left meanwhile: nobody waits for an answer

    def _said(self, board: Board, sender: str, name: str, text: str) -> None:
        if not text:
            return
        self._desk.counters.received += 1
        leg = self._leg
        if sender != self.peer and leg is not None:  # a third person in the room: named, for the session knows two
            leg.received(self._heard(self.peer, f"{name or sender}: {text}", leg.session_id))
        elif sender != self.peer:
            self._page(self._heard(sender, text, ""))
        elif leg is not None:
            leg.received(self._heard(sender, text, leg.session_id))
        elif board.incoming and board.has(sender) and self._desk.settings.incoming == "session":
            self._invite(text)
        else:
            self._page(self._heard(sender, text, ""))

    def _heard(self, sender: str, text: str, session_id: str) -> Message:
        return inbound.message(self._desk, sender, self._account.address, text, session_id)

    def _page(self, message: Message) -> None:
        inbound.hand_over(message, self._desk.inbox.received)

    def _invite(self, text: str) -> None:
        """The first text of a conversation the peer opened: ask our side for a session."""
        session_id = self._desk.ids.new()
        leg = MsnLeg(self, session_id, self._desk.name)
        self._leg = leg
        self._invitation.ask(leg, self._heard(self.peer, text, session_id), self._not_invited)

    def _not_invited(self, leg: MsnLeg) -> None:
        """No session came of it."""
        if self._leg is leg:
            self._leg = None
        self._account.tidy(self)
