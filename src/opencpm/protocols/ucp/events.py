"""What a session tells its owner."""

from __future__ import annotations

from typing import Any, NamedTuple

from .operations import Message, SessionOperation


class Opened(NamedTuple):
    """SMT: the centre accepted our login. ``text`` is its system message."""

    text: str


class LoginRefused(NamedTuple):
    """SMT: the centre refused; the session closes."""

    ec: int
    text: str


class LoginAsked(NamedTuple):
    """Centre: answer with ``Session.accept`` or ``Session.refuse``."""

    trn: int
    operation: SessionOperation
    password: str


class Received(NamedTuple):
    """01, 30, 51, 52 or 53, in the form of the 50 series; answer with ``Session.respond``."""

    ot: int
    trn: int
    message: Message


class Answered(NamedTuple):
    """The result of an operation of ours; ``context`` is what it was sent with, ``ec`` 0 is positive."""

    context: Any
    ec: int
    sm: str


class Unanswered(NamedTuple):
    """No result came in time, or the session closed first: whether it was carried out is not known."""

    context: Any


class Closed(NamedTuple):
    """The session is over. ``reason`` is a sentence for the operator."""

    reason: str


Event = Opened | LoginRefused | LoginAsked | Received | Answered | Unanswered | Closed
