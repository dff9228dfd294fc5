"""The OpenAPI description says what the server does: tokens, error answers, references that lead somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .world import World, world

METHODS = {"get", "put", "post", "delete", "patch"}
OPEN = {("/api/v1/login", "post")}


async def description(w: World) -> dict[str, Any]:
    found: dict[str, Any] = (await w.client.get("/api/openapi.json")).json()
    return found


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in found["paths"].items():
        assert set(item) <= METHODS
        for method, operation in item.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


async def test_its_form_is_that_of_openapi() -> None:
    async with world() as w:
        found = await description(w)
    assert found["openapi"].startswith("3.1")
    idents = [operation["operationId"] for _, _, operation in operations(found)]
    assert len(idents) == len(set(idents))
    for path, method, operation in operations(found):
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path" and one["required"]}
        assert named == set(re.findall(r"{(\w+)}", path)), (method, path)
        assert all("description" in answer for answer in operation["responses"].values()), (method, path)
    for reference in references(found):
        at: Any = found
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


async def test_it_says_which_operations_need_a_token() -> None:
    async with world() as w:
        found = await description(w)
    [(name, scheme)] = found["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, method, operation in operations(found):
        assert ({name: []} in operation.get("security", ())) == ((path, method) not in OPEN), (method, path)


async def test_error_answers_are_as_it_says() -> None:
    async with world() as w:
        found = await description(w)
        for path, method, operation in operations(found):
            assert set(operation["responses"]) - {"200", "201", "202", "204"} == {"default"}, (method, path)
            [(media, content)] = operation["responses"]["default"]["content"].items()
            assert content["schema"]["$ref"].endswith("/Problem")
        schema = found["components"]["schemas"]["Problem"]
        for answer in (
            await w.client.get("/api/v1/me", headers={"Authorization": ""}),
            await w.client.get("/api/v1/nothing"),
            await w.client.post("/api/v1/messages", json={"to": [], "text": "nobody"}),
            await w.client.post("/api/v1/messages", content=b"{"),
            await w.client.post("/api/v1/messages", json={"to": ["sip:none@cpm.test"], "text": "x"}),
        ):
            assert answer.status_code >= 400
            assert answer.headers["content-type"] == media == "application/problem+json"
            problem = json.loads(answer.content)
            assert set(problem) >= set(schema["required"])
            assert isinstance(problem["status"], int)
