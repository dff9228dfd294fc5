"""Whatever is sent to the API, the answer is one of its documented ones, and the server lives on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.access.web.world import world

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ADDRESS = st.one_of(
    st.sampled_from(
        ["+12025550101", "msn:bob@msn.test", "sip:desk@cpm.test", "sip:nobody@cpm.test", "alpha:X", "tel:1"]
    ),
    st.text(st.characters(), max_size=40),
)
MESSAGE = st.fixed_dictionaries(
    {"to": st.lists(ADDRESS, max_size=3) | JSON},
    optional={
        "text": st.text(st.characters(), max_size=300) | JSON,
        "parts": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "text": st.text(st.characters()),
                    "body": st.text(),
                    "content_type": st.text(),
                    "name": st.text(),
                },
            ),
            max_size=3,
        )
        | JSON,
        "route": st.sampled_from(["", "sms", "msn", "web", "fax"]) | JSON,
        "message_id": st.text(max_size=20) | JSON,
        "expires_in": st.floats() | JSON,
        "want": st.lists(st.sampled_from(["delivered", "displayed", "x"])) | JSON,
        "subject": st.text(st.characters()) | JSON,
    },
)
PATHS = [
    ("POST", "/api/v1/messages"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/contacts"),
    ("PATCH", "/api/v1/me/preferences"),
    ("POST", "/api/v1/routes/explain"),
    ("POST", "/api/v1/sessions"),
    ("POST", "/api/v1/events/ack"),
    ("POST", "/api/v1/composing"),
    ("PUT", "/api/v1/contacts/bob"),
]
LIGHT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def _expect_documented(requests: list[tuple[str, str, bytes]]) -> None:
    async with world() as w:
        for method, path, content in requests:
            answer = await w.client.request(method, path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code != 500, (method, path, content, answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["reason"]
        await w.get("/conversations")
        await w.get("/presence")


@LIGHT
@given(st.lists(MESSAGE, min_size=1, max_size=5))
async def test_messages(bodies: list[Any]) -> None:
    await _expect_documented([("POST", "/api/v1/messages", json.dumps(body).encode()) for body in bodies])


@LIGHT
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON.map(json.dumps).map(str.encode) | st.binary()), max_size=6))
async def test_bodies(requests: list[tuple[tuple[str, str], bytes]]) -> None:
    await _expect_documented([(*where, content) for where, content in requests])


@LIGHT
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5))
async def test_addresses_in_paths(names: list[str]) -> None:
    requests = [
        (method, pattern.format(quote(name, safe="")), b"{}")
        for name in names
        for method, pattern in (
            ("GET", "/api/v1/conversations/{}/messages"),
            ("GET", "/api/v1/messages/{}"),
            ("GET", "/api/v1/messages/{}/trail"),
            ("DELETE", "/api/v1/sessions/{}"),
            ("GET", "/api/v1/sessions/{}/trail"),
            ("DELETE", "/api/v1/contacts/x{}"),
            ("GET", "/{}"),
        )
    ]
    await _expect_documented(requests)
