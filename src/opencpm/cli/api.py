"""The HTTP API as the commands use it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from opencpm.cli.errors import REFUSED, UNREACHABLE, USAGE, Failure
from opencpm.cli.options import TOKEN_VARIABLE, Function, load_settings

TIMEOUT = 30.0


def api_options(function: Function) -> Function:
    """``--server`` and ``--token-file``."""
    function = click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help=f"A file with the token.  [default: ${TOKEN_VARIABLE}]",
    )(function)
    return click.option(
        "--server", help="The server's address.  [default: http://<web.host>:<web.port> of the settings]"
    )(function)


class Api:
    """Calls a server. Every error is a :class:`Failure` with the server's own words."""

    def __init__(self, base: str, token: str) -> None:
        self.base, self._token = base.rstrip("/"), token

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: Any) -> Any:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = Request(self.base + "/api/v1" + path, data, headers, method=method)  # noqa: S310 - checked below
        try:
            with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                text = response.read()
        except HTTPError as error:
            raise _refused(error) from error
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise Failure(
                f"no server answers at {self.base}: {reason}", "Start it with `opencpm serve`.", UNREACHABLE
            ) from error
        return json.loads(text) if text else None


def _refused(error: HTTPError) -> Failure:
    try:
        problem = json.loads(error.read())
    except ValueError:
        problem = {}
    detail = problem.get("detail") or problem.get("title") or error.reason
    hint = ""
    if error.code == 401:
        hint = f"Make a token with `opencpm user token <user>` and put it into {TOKEN_VARIABLE}."
    elif problem.get("message"):
        hint = f"What happened: opencpm trace {problem['message']}"
    return Failure(f"{detail} ({error.code})", hint, REFUSED)


def api(server: str | None, token_file: Path | None, config: Path | None) -> Api:
    """Where the options and the environment point."""
    token = token_file.read_text().strip() if token_file else os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise Failure(
            "no token",
            f"Make one with `opencpm user token <user>`; give it in {TOKEN_VARIABLE} or --token-file.",
            USAGE,
        )
    base = server or _configured(config)
    if not base.startswith(("http://", "https://")):
        raise Failure(f"{base!r} is no server's address", "Write http://host:port.", USAGE)
    return Api(base, token)


def local(config: Path | None) -> Api:
    """The server of the settings on this very machine, which needs no token for what operators may see."""
    web = load_settings(config).web
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(web.host, web.host)  # noqa: S104 - read, not bound
    return Api(f"http://{host}:{web.port}", "")


def _configured(config: Path | None) -> str:
    return load_settings(config).web.public_url or local(config).base
