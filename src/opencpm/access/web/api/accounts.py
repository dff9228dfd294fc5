"""The subscriber's accounts on other networks: link, verify, switch off and on, unlink; and how they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse, operator
from opencpm.access.web.api.read import address
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, not_found
from opencpm.domain.address import Address
from opencpm.domain.subscriber import LinkedAccount, Subscriber

router = APIRouter(tags=["accounts"])
PATIENCE = 30.0


class AccountIn(Body):
    network: str = Field(max_length=64, description='A network of `GET /me` with `needs_account`: "msn".')
    address: str = Field(max_length=512, description='"alice@msn.test", or with its scheme "msn:alice@msn.test".')
    password: str = Field(min_length=1, max_length=256, description="Kept encrypted; never shown again.")
    wait: float = Field(0, ge=0, le=PATIENCE, allow_inf_nan=False, description="Seconds to wait for the outcome.")


class Wait(Body):
    wait: float = Field(10, ge=0, le=PATIENCE, allow_inf_nan=False, description="Seconds to wait for the outcome.")


class Switch(Body):
    enabled: bool


@router.get("/accounts", summary="Accounts on other networks, and how they are")
async def accounts(caller: Caller, within: TheHouse) -> list[dict[str, Any]]:
    """`state`: connected, connecting, bad-credentials, elsewhere, disabled or unreachable; `detail` says why."""
    return [_shown(within, account) for account in caller.accounts]


@router.get("/operation/accounts", summary="All linked accounts (operators)", dependencies=[Depends(operator)])
async def all_accounts(within: TheHouse) -> list[dict[str, Any]]:
    return [
        {"user": subscriber.id, **_shown(within, account)}
        for subscriber in within.people.subscribers()
        for account in subscriber.accounts
    ]


@router.post("/accounts", status_code=201, summary="Link an account, or link it anew")
async def link(body: AccountIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """With `wait` the answer tells whether signing in went well; without, an event of type `account` does."""
    connector = within.messaging.connectors.get(body.network)
    if connector is None or not connector.profile.needs_account:
        taking = [c.name for c in within.messaging.connectors.values() if c.profile.needs_account]
        raise Problem(
            422,
            "unknown-network",
            f"No accounts are linked on {body.network[:40]!r}; on these they are: {', '.join(taking) or 'none'}.",
        )
    target = _address(connector.profile.schemes, body.address)
    try:
        account = within.people.link_account(caller.id, body.network, target, body.password)
    except ValueError as taken:
        raise Problem(409, "conflict", f"{taken}".capitalize() + ".") from None
    return await _awaited(within, account, body.wait)


@router.post("/accounts/{network}/{account}/verify", summary="Sign in afresh, and say how it went")
async def verify(network: str, account: str, body: Wait, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Also takes an account back that has signed in elsewhere."""
    found = _own(caller, network, account)
    if not found.enabled:
        raise Problem(409, "disabled", "The account is switched off; switch it on first.")
    return await _awaited(within, within.people.retry_account(caller.id, network, found.address), body.wait)


@router.patch("/accounts/{network}/{account}", summary="Switch an account off or on")
async def switch(network: str, account: str, body: Switch, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found = _own(caller, network, account)
    return _shown(within, within.people.enable_account(caller.id, network, found.address, body.enabled))


@router.delete("/accounts/{network}/{account}", status_code=204, summary="Unlink; people and history stay")
async def unlink(network: str, account: str, caller: Caller, within: TheHouse) -> Response:
    within.people.unlink_account(caller.id, network, _own(caller, network, account).address)
    return Response(status_code=204)


def _own(caller: Subscriber, network: str, text: str) -> LinkedAccount:
    """By the whole address or by what follows its scheme. :raises Problem: 404."""
    for account in caller.accounts:
        if account.network == network and text.lower() in (str(account.address).lower(), account.address.value.lower()):
            return account
    raise not_found("account")


async def _awaited(within: House, account: LinkedAccount, patience: float) -> dict[str, Any]:
    if patience:
        await within.messaging.accounts.settled(account, patience)
    return _shown(within, account)


def _shown(within: House, account: LinkedAccount) -> dict[str, Any]:
    return views.account(account, within.messaging.accounts.of(account))


def _address(schemes: frozenset[str], text: str) -> Address:
    """Of an account, with or without its scheme."""
    scheme = min(schemes)
    return address(text if text.startswith(f"{scheme}:") else f"{scheme}:{text}")
