"""Who calls: token authentication (RFC 6750), login, and who is an operator."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from opencpm.access.web.api.body import Body
from opencpm.access.web.house import House, house
from opencpm.access.web.problems import Problem
from opencpm.domain.errors import Reason
from opencpm.domain.subscriber import Subscriber
from opencpm.messaging.credentials import split_token

router = APIRouter(tags=["login"])
TheHouse = Annotated[House, Depends(house)]
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="opencpm"'}
_TOKEN = Depends(
    HTTPBearer(scheme_name="token", description="From POST /api/v1/login or from the operator.", auto_error=False)
)
"""Puts "needs a token" into the OpenAPI description; who it belongs to is asked below."""


async def caller(request: Request, within: TheHouse, _: object = _TOKEN) -> Subscriber:
    """The subscriber whose token is in the Authorization header.

    :raises Problem: 401 without a good token, 403 for a barred subscriber.
    """
    token = bearer(request)
    return known(within, within.people.user_of_token(token) if token else None)


def bearer(request: Request) -> str:
    """The token of the Authorization header, empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def known(within: House, user_id: str | None) -> Subscriber:
    """:raises Problem: nobody of that id, or barred."""
    subscriber = within.people.subscriber(user_id) if user_id else None
    if subscriber is None:
        raise Problem(401, "token", "Sign in first: the request has no valid token.", headers=_CHALLENGE)
    if subscriber.barred:
        raise Problem(403, "barred", "The operator has barred this account.")
    return subscriber


Caller = Annotated[Subscriber, Depends(caller)]


def is_local(request: Request) -> bool:
    """Whether the request came from this machine itself, and not through a proxy on it."""
    if request.client is None or "forwarded" in request.headers or "x-forwarded-for" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def operator(request: Request, within: TheHouse, _: object = _TOKEN) -> None:
    """:raises Problem: neither from this machine nor a named operator."""
    if is_local(request):
        return
    if (await caller(request, within)).id not in within.operators:
        raise Problem(403, "barred", "Only operators, or requests from the server's own machine, may see this.")


class Login(Body):
    user: str = Field(max_length=128, description="The user's name: alice")
    password: str = Field(max_length=1024)
    label: str = Field("web", max_length=64, description="What this token is called in lists of tokens.")


class Token(BaseModel):
    token: str
    user: str


@router.post("/login", status_code=201, summary="User and password for a token")
async def login(body: Login, request: Request, within: TheHouse) -> Token:
    """After five failures within a minute, of one name from one address, further ones are refused with 429."""
    address = request.client.host if request.client else "?"
    now = within.clock.now()
    wait = within.logins.wait(body.user, address, now)
    if wait > 0:
        seconds = str(int(wait) + 1)
        detail = f"Too many failed logins. Wait {seconds} seconds."
        raise Problem(429, "too-many", detail, headers={"Retry-After": seconds})
    if not within.people.check_password(body.user, body.password):
        within.logins.failed(body.user, address, now)
        _leave_line(within, body.user, address)
        raise Problem(401, "authentication", "The name or the password is wrong.", headers=_CHALLENGE)
    within.logins.passed(body.user, address)
    subscriber = known(within, body.user)
    return Token(token=within.people.new_token(subscriber.id, body.label), user=subscriber.id)


def _leave_line(within: House, user: str, address: str) -> None:
    """A wrong password, or no such user, is in the trail of whom it was about."""
    subscriber = within.people.subscriber(user)
    who = str(subscriber.addresses[0]) if subscriber else user
    what = f"wrong password or unknown user {user[:64]!r}, login from {address}"
    within.messaging.turned_away(who, Reason.AUTHENTICATION.value, what)


@router.delete("/login", status_code=204, summary="Sign out: this token is good for nothing from now on")
async def logout(request: Request, caller: Caller, within: TheHouse) -> Response:
    parts = split_token(bearer(request))
    if parts is not None:
        within.people.remove_token(caller.id, parts[0])
    return Response(status_code=204)
