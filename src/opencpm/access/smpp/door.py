"""Who may bind: users of the directory, with their password, within their terms."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.access.smpp.session import Account
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Directory
from opencpm.protocols.smpp.events import BindAsked
from opencpm.protocols.smpp.status import RALYBND, RBINDFAIL, RINVPASWD
from opencpm.settings import SmppSettings

TurnedAway = Callable[[str, str, str], None]


class Door:
    """``turned_away(who, reason, what)`` leaves a line in the trail of who asked."""

    def __init__(self, settings: SmppSettings, directory: Directory, turned_away: TurnedAway) -> None:
        self._settings, self._directory = settings, directory
        self._turned_away = turned_away

    def let_in(self, asked: BindAsked, known: Account | None, peer: str) -> Subscriber | int:
        """The subscriber who binds, or the status to refuse with. Nobody is told whether a system_id exists."""
        subscriber = self._directory.subscriber(asked.system_id)
        if not self._directory.proves(asked.system_id, asked.password) or subscriber is None:
            return self._refuse(asked, peer, RINVPASWD, "authentication", "a wrong password or no such user")
        terms = self._settings.terms_of(subscriber.id)
        if subscriber.barred or terms is None:
            return self._refuse(asked, peer, RBINDFAIL, "barred", "the account may not bind")
        if known is not None and len(known.peers) >= terms.max_binds:
            return self._refuse(asked, peer, RALYBND, "congestion", f"there are {terms.max_binds} connections already")
        return subscriber

    def _refuse(self, asked: BindAsked, peer: str, status: int, reason: str, why: str) -> int:
        subscriber = self._directory.subscriber(asked.system_id)
        who = str(subscriber.addresses[0]) if subscriber is not None else f"smpp:{asked.system_id[:64]}"
        self._turned_away(who, reason, f"an SMPP bind from {peer}: {why}")
        return status
