"""The documentation of the API as one plain page, rendered from its OpenAPI description; no foreign assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from opencpm.access.web.problems import STATUS

_METHODS = ("get", "post", "put", "patch", "delete")


def render(openapi: Mapping[str, Any]) -> str:
    """An HTML page: every operation with its parameters and body, and every reason an error may have."""
    return "\n".join(_page(openapi))


def _page(openapi: Mapping[str, Any]) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>OpenCPM API</title>'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/docs.css"></head><body><main>'
    yield f"<h1>OpenCPM API</h1><p>{escape(openapi['info'].get('description', ''))}</p>"
    yield '<p><a href="/">The page</a> · <a href="/api/openapi.json">OpenAPI description</a></p>'
    schemas = openapi.get("components", {}).get("schemas", {})
    for tag, operations in _by_tag(openapi).items():
        yield f"<h2>{escape(tag.capitalize())}</h2>"
        for method, path, operation in operations:
            yield from _operation(method, path, operation, schemas)
    yield from _reasons()
    yield "</main></body></html>"


def _by_tag(openapi: Mapping[str, Any]) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    tags: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, item in openapi["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tags.setdefault((operation.get("tags") or ["other"])[0], []).append((method, path, operation))
    return tags


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f'<section><h3><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code></h3>'
    yield f"<p><strong>{escape(operation.get('summary', ''))}.</strong> {escape(operation.get('description', ''))}</p>"
    rows = [_parameter(p) for p in operation.get("parameters", ()) if p["in"] in ("path", "query")]
    rows += _body(operation, schemas)
    if rows:
        yield "<table><tr><th>Name</th><th>Where</th><th>Type</th><th>Meaning</th></tr>"
        yield from rows
        yield "</table>"
    yield "</section>"


def _parameter(parameter: Mapping[str, Any]) -> str:
    return _row(
        parameter["name"],
        parameter["in"],
        parameter["schema"],
        parameter.get("description", ""),
        parameter.get("required", False),
    )


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = schemas.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
    required = schema.get("required", ())
    return [
        _row(name, "body", kind, kind.get("description", ""), name in required)
        for name, kind in schema.get("properties", {}).items()
    ]


def _row(name: str, where: str, kind: Mapping[str, Any], meaning: str, required: bool) -> str:
    star = " <em>required</em>" if required else ""
    cells = f"<td><code>{escape(name)}</code>{star}</td><td>{where}</td><td>{escape(_type(kind))}</td>"
    return f"<tr>{cells}<td>{escape(meaning)}</td></tr>"


def _type(kind: Mapping[str, Any]) -> str:
    if "anyOf" in kind:
        return " or ".join(_type(k) for k in kind["anyOf"] if k.get("type") != "null")
    if "enum" in kind:
        return " | ".join(map(str, kind["enum"]))
    if "$ref" in kind:
        return str(kind["$ref"]).rpartition("/")[2]
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    return str(kind.get("format") or kind.get("type") or "any")


def _reasons() -> Iterator[str]:
    yield "<h2>Errors</h2><p>Errors are RFC 9457 problem details. <code>reason</code> is one of these, or a word of"
    yield "the API itself (token, not-found, too-many, session-state, unknown-network).</p><table>"
    yield "<tr><th>Reason</th><th>Status</th></tr>"
    for reason, status in STATUS.items():
        yield f'<tr id="{reason.value}"><td><code>{reason.value}</code></td><td>{status}</td></tr>'
    yield "</table>"
