"""Who serves a number: the operator's table and ENUM ([numbers])."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from opencpm.settings.kinds import Seconds, Section

_DNS = 53


class NumbersSettings(Section):
    """What is known of telephone numbers beyond the numbering plan. Routes ask for it by ``carrier``."""

    table: str = Field(
        default="",
        description='File of numbers and ranges and who serves them, lines of "+447700900123,23433,mobile" (number, '
        "carrier, type; # begins a comment). Read anew when it changes.",
    )
    enum: bool = Field(
        default=False, description="Ask the DNS (ENUM) about numbers whose carrier the table does not name."
    )
    enum_suffix: str = Field(default="e164.arpa", min_length=1, description="Domain under which numbers stand.")
    enum_servers: tuple[str, ...] = Field(
        default=(),
        max_length=8,
        description='Name servers by address, "10.0.0.1" or "10.0.0.1:5353"; left out: the system\'s.',
    )
    enum_services: tuple[str, ...] = Field(
        default=("pstn", "sms", "mms"), min_length=1, description="ENUM services whose records tell the carrier."
    )
    enum_timeout: Annotated[float, Field(gt=0, le=30)] = Field(
        default=1.5, description="How long a message waits for an answer, seconds; then it goes without."
    )
    enum_queries: int = Field(default=500, ge=1, description="Questions open at a time; more go unasked for a while.")
    enum_longest: Seconds = Field(
        default=86400.0, description="An answer is kept as its TTL says, at most so long, seconds."
    )
    enum_absent: Seconds = Field(
        default=3600.0, description="How long it is kept that a number has no record, seconds."
    )
    enum_retry: Seconds = Field(default=60.0, description="After no answer, when to ask again, seconds.")

    @field_validator("enum_servers")
    @classmethod
    def _addresses(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            host, port = _split(server)
            if not host or not 0 < port < 65536:
                raise ValueError(f'{server!r} is no name server; write "10.0.0.1" or "10.0.0.1:5353"')
        return servers

    @property
    def name_servers(self) -> tuple[tuple[str, int], ...]:
        """Addresses and ports."""
        return tuple([_split(server) for server in self.enum_servers])


def _split(server: str) -> tuple[str, int]:
    """``host:port``, ``[v6]:port`` or a host alone; port 0: cannot be read."""
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":")
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    else:
        host, port = server, ""
    return host, int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0 if port else _DNS
