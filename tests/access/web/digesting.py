"""A device's side of digest over HTTP, for the tests: what it answers to a challenge, right or wrong."""

from __future__ import annotations

from typing import Any

import httpx

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import Auth, parse_auth
from tests.access.web.world import PASSWORD, World


def answer(
    challenge: str,
    method: str,
    uri: str,
    user: str = "alice",
    password: str = PASSWORD,
    *,
    count: int = 1,
    qop: bool = True,
) -> str:
    """The Authorization that a challenge deserves."""
    found = parse_auth(challenge)
    algorithm, realm = digest.algorithm_of(found), found.get("realm")
    values = {"username": user, "realm": realm, "nonce": found.get("nonce"), "uri": uri}
    if qop:
        values |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": "c0ffee"}
    response = digest.answer(digest.ha1(user, realm, password, algorithm), Auth("digest", values), method, algorithm)
    quoted = ", ".join(f'{name}="{value}"' for name, value in values.items() if name not in ("qop", "nc"))
    bare = ", ".join(f"{name}={values[name]}" for name in ("qop", "nc") if name in values)
    return f'Digest {quoted}, response="{response}", algorithm={algorithm}' + (f", {bare}" if bare else "")


async def as_device(
    w: World, method: str, target: str, user: str = "alice", password: str = PASSWORD, **more: Any
) -> httpx.Response:
    """A request of a device that waits for the challenge and answers it (the body is sent with the answer alone)."""
    headers = {"Authorization": "", **more.pop("headers", {})}
    first = await w.client.request(method, target, headers={"Authorization": ""})
    assert first.status_code == 401, first.text
    url = httpx.URL(target)
    headers["Authorization"] = answer(
        first.headers.get_list("www-authenticate")[0], method, url.raw_path.decode(), user, password
    )
    return await w.client.request(method, target, headers=headers, **more)
