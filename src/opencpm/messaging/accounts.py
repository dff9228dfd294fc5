"""How linked accounts are: told by the connectors, shown to their users and the operator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from opencpm.domain.account import SETTLED, AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.subscriber import LinkedAccount
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Bus, Changes, Clock, Directory, Store

_UNASKED = AccountStatus(AccountState.CONNECTING, "The server has not begun to sign in yet.")
_NO_NETWORK = AccountStatus(AccountState.UNREACHABLE, "This server has no such network any more; ask the operator.")
_DISABLED = AccountStatus(AccountState.DISABLED, "Switched off.")

_TROUBLES = frozenset({AccountState.BAD_CREDENTIALS, AccountState.ELSEWHERE})
"""States that do not mend themselves."""

Key = tuple[str, Address]  # network, account


class Accounts:
    """The states of all linked accounts, in memory: every connector tells them anew after a start."""

    def __init__(
        self, store: Store, directory: Directory, bus: Bus, clock: Clock, networks: Mapping[str, object]
    ) -> None:
        self._store = store
        self._directory = directory
        self._bus = bus
        self._clock = clock
        self._networks = networks
        self._told: dict[Key, tuple[int, AccountStatus]] = {}  # with the revision it was told of
        self._tidied = -1

    def changed(self, network: str, owner: str, account: Address, status: AccountStatus) -> None:
        """See :meth:`opencpm.interfaces.Inbox.account_changed`."""
        linked = self._linked(owner, network, account)
        if linked is None:
            self._told.pop((network, account), None)
            return
        old = self._told.get((network, account))
        if not status.since:
            same = old is not None and old[1].state is status.state
            status = replace(status, since=old[1].since if old and same else self._clock.now())
        now = (linked.revision, status)
        if old != now:
            self._told[network, account] = now
            if status.state in _TROUBLES and (old is None or old[1].state is not status.state):
                self._leave_line(account, status)
            self._bus.publish(f"user:{owner}", hint(network, account, status))

    def of(self, account: LinkedAccount) -> AccountStatus:
        """How an account is now."""
        if not account.enabled:
            return _DISABLED
        if account.network not in self._networks:
            return _NO_NETWORK
        revision, status = self._told.get((account.network, account.address), (-1, _UNASKED))
        return status if revision == account.revision else _UNASKED

    def _leave_line(self, account: Address, status: AccountStatus) -> None:
        """What its user or the operator has to mend is in the account's trail (`opencpm trace msn:alice@msn.test`)."""
        what = f"{status.state.value}: {status.detail}"
        self._store.commit(Changes(trail=[TrailEntry(str(account), self._clock.now(), Step.REFUSED, what)]))

    async def settled(self, account: LinkedAccount, patience: float) -> AccountStatus:
        """Wait until it is known how signing in ended, at most ``patience`` seconds; how it is then."""
        ended = asyncio.Event()

        def heard(hint: Mapping[str, Any]) -> None:
            if hint.get("type") == "account":
                ended.set()

        stop: Callable[[], None] = self._bus.subscribe(f"user:{account.owner}", heard)
        try:
            async with asyncio.timeout(patience):
                while self.of(account).state not in SETTLED:
                    await ended.wait()
                    ended.clear()
        except TimeoutError:
            pass
        finally:
            stop()
        return self.of(account)

    def tidy(self) -> None:
        """The directory changed: what was told of accounts that are gone is forgotten."""
        if (now := self._directory.revision("")) == self._tidied:
            return
        self._tidied = now
        for network, account in list(self._told):
            owner = self._directory.owner_of(account)
            if owner is None or self._linked(owner.id, network, account) is None:
                del self._told[network, account]

    def _linked(self, owner: str, network: str, account: Address) -> LinkedAccount | None:
        subscriber = self._directory.subscriber(owner)
        if subscriber is None:
            return None
        return next((a for a in subscriber.accounts if (a.network, a.address) == (network, account)), None)


def hint(network: str, account: Address, status: AccountStatus) -> dict[str, Any]:
    """What the owner's open pages are told."""
    return {
        "type": "account",
        "network": network,
        "address": str(account),
        "state": status.state.value,
        "detail": status.detail,
        "since": status.since,
    }
