"""The checks of ``opencpm doctor``, each a function that says what it found."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import platform
import shutil
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opencpm.app.people import opened
from opencpm.app.supervision import StartError
from opencpm.cli.certificate import days_left
from opencpm.settings import Settings, SettingsError, load

PATIENCE = 3.0
LITTLE_SPACE = 200 << 20
SOON = 30  # days


class Finding(NamedTuple):
    """One line: ``level`` is ok, warn or fail; ``todo`` what to do about it."""

    level: str
    subject: str
    found: str
    todo: str = ""


async def check_all(path: Path) -> list[Finding]:
    """All checks that are possible with what is there."""
    findings = [*_program()]
    try:
        settings = load(path)
    except SettingsError as error:
        return [*findings, *(Finding("fail", "settings", line, f"Edit {path}.") for line in error.lines)]
    findings.append(Finding("ok", "settings", f"{path} can be used"))
    findings += _file(path)
    findings += _clock(path)
    findings += _certificates(settings)
    findings += await _database(settings)
    findings += _networks(settings)
    findings += await _links(settings)
    findings += await _ports(settings)
    return findings


def _program() -> Iterator[Finding]:
    yield Finding("ok", "program", f"Python {platform.python_version()}")
    if importlib.util.find_spec("uvloop") is None:
        yield Finding("warn", "program", "uvloop is not installed", "pip install uvloop: half the CPU for sockets.")


def _file(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding("warn", "settings", "others may read the secrets in it", f"chmod 600 {path}")


def _clock(path: Path) -> Iterator[Finding]:
    if time.time() < path.stat().st_mtime - 1:
        yield Finding("fail", "clock", "it is behind the time of the settings file", "Set the clock; use NTP.")
    else:
        yield Finding("ok", "clock", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def _certificates(settings: Settings) -> Iterator[Finding]:
    if not settings.sip.tls_certificate:
        return
    file = Path(settings.sip.tls_certificate)
    try:
        days = days_left(file.read_bytes())
        Path(settings.sip.tls_key).read_bytes()
    except (OSError, ValueError) as error:
        yield Finding("fail", "certificate", str(error), "sip.tls_certificate and sip.tls_key are PEM files.")
        return
    if days < 0:
        yield Finding("fail", "certificate", f"{file} has expired", "Get a new one; devices refuse this one.")
    elif days < SOON:
        yield Finding("warn", "certificate", f"{file} expires in {days} days", "Renew it.")
    else:
        yield Finding("ok", "certificate", f"{file} is good for {days} days")


async def _database(settings: Settings) -> list[Finding]:
    try:
        async with opened(settings) as (store, directory):
            users = directory.subscribers()
            broken = [a for u in users for a in u.accounts if not _opens(directory.password, a)]
            counts = store.counts()
    except StartError as error:
        return [Finding("fail", "database", str(error), "Look at the rights of data_dir, or restore a copy.")]
    found = [Finding("ok", "database", f"{len(users)} users; " + ", ".join(f"{n} {k}" for k, n in counts.items()))]
    if not users:
        found.append(Finding("warn", "database", "there are no users", "opencpm user add alice"))
    found += [
        Finding("fail", "secrets", f"the password of {a.address} cannot be opened", f"opencpm account link {a.owner} …")
        for a in broken
    ]
    free = shutil.disk_usage(settings.data_dir).free
    if free < LITTLE_SPACE:
        found.append(Finding("warn", "disk", f"{free >> 20} MB free", "A full disk refuses every message."))
    return found


def _opens(password: Any, account: Any) -> bool:
    try:
        return bool(password(account)) or True
    except ValueError:
        return False


def _networks(settings: Settings) -> Iterator[Finding]:
    from opencpm.app.networks import installed

    if not settings.networks:
        yield Finding("warn", "networks", "none: only CPM devices are reached", "Write [networks.<name>] sections.")
    for name, values in settings.networks.items():
        if values["type"] not in installed():
            kinds = ", ".join(sorted(installed()))
            yield Finding("fail", name, f"there is no network of type {values['type']!r}", f"Installed: {kinds}.")


async def _links(settings: Settings) -> list[Finding]:
    """Whether the far ends take a connection; the log of the running server says whether they take the login."""
    places = [(name, host, port) for name, values in settings.networks.items() for host, port in _far_ends(values)]
    return list(await asyncio.gather(*(_link(*place) for place in places)))


def _far_ends(values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for link in values.get("links", [values]):
        if "host" in link or "port" in link:
            yield str(link.get("host", "127.0.0.1")), int(link.get("port", 2775))
    url = urlsplit(str(values.get("url", "")))
    if url.hostname:
        yield url.hostname, url.port or (443 if url.scheme == "https" else 80)
    host, colon, port = str(values.get("server", "")).rpartition(":")
    if colon and port.isdigit():
        yield host, int(port)


async def _link(name: str, host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no answer"
        return Finding("fail", name, f"{host}:{port} cannot be reached: {why}", "Is it running, and the address right?")
    return Finding("ok", name, f"{host}:{port} takes connections")


async def _ports(settings: Settings) -> list[Finding]:
    """Ports are free, or our own server has them."""
    ours = settings.web.enabled and await _answers(settings)
    found = [Finding("ok", "server", f"it runs at port {settings.web.port}")] if ours else []
    for kind, host, port in _listening(settings):
        error = _bindable(host, port, socket.SOCK_DGRAM if kind == "sip udp" else socket.SOCK_STREAM)
        if error is None:
            level = "warn" if ours else "ok"
            found.append(Finding(level, kind, f"{host}:{port} is free", "Restart the server." if ours else ""))
        elif ours and error == errno.EADDRINUSE:
            found.append(Finding("ok", kind, f"{host}:{port} is in use, by the running server"))
        else:
            why = errno.errorcode.get(error, str(error))
            todo = "Stop the program that has it (ss -lptun), or change the port."
            found.append(Finding("fail", kind, f"{host}:{port} cannot be listened on: {why}", todo))
    return found


def _listening(settings: Settings) -> Iterator[tuple[str, str, int]]:
    sip, web = settings.sip, settings.web
    ports = {
        "sip udp": (sip.host, sip.udp_port),
        "sip tcp": (sip.host, sip.tcp_port),
        "sip tls": (sip.host, sip.tls_port),
        "sip ws": (sip.host, sip.ws_port),
        "sip wss": (sip.host, sip.wss_port),
        "msrp": (sip.msrp_host or sip.host, sip.msrp_port),
        "msrps": (sip.msrp_host or sip.host, sip.msrps_port),
    }
    if sip.enabled:
        yield from ((kind, host, port) for kind, (host, port) in ports.items() if port)
    if web.enabled and web.port:
        yield "web", web.host, web.port
    if settings.mm7.enabled and settings.mm7.port:
        yield "mm7", settings.mm7.host, settings.mm7.port


def _bindable(host: str, port: int, kind: socket.SocketKind) -> int | None:
    """None, or the error number."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return None


_ANSWER = 1 << 20
"""Bytes of an answer that are looked at."""


async def _answers(settings: Settings) -> bool:
    """Whether an OpenCPM server answers at the web port."""
    web = settings.web
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.host, web.host)  # noqa: S104 - read, not bound
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, web.port)
            writer.write(f"GET /api/openapi.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while len(answer) < _ANSWER and (more := await reader.read(65536)):
                answer += more
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b"OpenCPM" in answer
