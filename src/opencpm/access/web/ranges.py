"""Ranges of bytes (RFC 9110 §14): what a request asks for, and what an upload says it brings."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})\Z", re.ASCII)
_CONTENT = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)\Z", re.ASCII)


class Unsatisfiable(ValueError):
    """The range lies outside (416)."""


class Span(NamedTuple):
    """From ``start`` up to and without ``end``."""

    start: int
    end: int


class Brought(NamedTuple):
    start: int
    end: int  # without
    total: int | None


def asked(header: str, size: int) -> Span | None:
    """The one range a Range header asks for. None: all of it, also for several ranges and units we do not know
    (§14.2: a server may ignore them).

    :raises Unsatisfiable:
    """
    match = _ONE.match(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = int(match[2])
        if not length or not size:
            raise Unsatisfiable
        return Span(max(0, size - length), size)
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None  # §14.1.1: invalid, so as if it were not there
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(int(match[2]) + 1, size) if match[2] else size)


def brought(header: str) -> Brought:
    """A Content-Range of an upload. :raises ValueError:"""
    match = _CONTENT.match(header.strip())
    if match is None:
        raise ValueError("Content-Range must be: bytes <first>-<last>/<total>")
    start, end = int(match[1]), int(match[2]) + 1
    total = None if match[3] == "*" else int(match[3])
    if end <= start or (total is not None and end > total):
        raise ValueError("the Content-Range contradicts itself")
    return Brought(start, end, total)
