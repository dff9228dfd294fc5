"""What every rule may ask about one request, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.domain.plan import Note
from opencpm.domain.subscriber import Preferences
from opencpm.selection.request import NetworkView, Request
from opencpm.selection.routes import Operator, operator

_NONE = Preferences()


class Case(NamedTuple):
    """A request with its policy indexed. ``who`` names the receiver for people."""

    request: Request
    operator: Operator
    route: str  # the network chosen for this one message
    strict: bool  # that network or none
    sender: Preferences
    receiver: Preferences
    segments: int  # at most so many; 0: no limit
    who: str

    def preferences(self, view: NetworkView) -> Preferences:
        """Whose choices count on a network: on the way to a device the receiver's, else the sender's."""
        return self.receiver if view.profile.access else self.sender


class Failing(NamedTuple):
    """What a rule that says no means for the message.

    ``waits`` names what may change the answer ("user:alice"); empty: nothing will.
    """

    error: SendError
    waits: str = ""


FactRule = tuple[str, Callable[[Case], Note | None], Callable[[Case, Note], SendError]]
"""Name, check, error. A check returns None where the rule has nothing to say."""

NetworkRule = tuple[str, Callable[[Case, NetworkView], Note | None], Callable[[Case, NetworkView, Note], Failing]]


def case_of(request: Request) -> Case:
    message, sender, recipient = request.message, request.sender, request.recipient
    choices = _NONE if sender is None else sender.preferences
    route = request.route or ("" if message is None else message.route)
    limit = request.policy.limits.segments
    if choices.max_segments and (choices.max_segments < limit or not limit):
        limit = choices.max_segments
    return Case(
        request,
        operator(request.policy),
        route,
        route != "" and (choices.strict_route or from_server(request)),
        choices,
        _NONE if recipient is None else recipient.preferences,
        limit,
        (recipient.name or recipient.id) if recipient is not None else request.contact.name,
    )


def from_server(request: Request) -> bool:
    """Whether one of our own services sends this (a notification of a multimedia message). It means nothing to anybody
    on another network than the one it names."""
    message = request.message
    return message is not None and message.kind is MessageKind.SYSTEM and message.sender.scheme == "cpm"


@lru_cache(maxsize=16384)
def note(rule: str, kept: bool, evidence: str) -> Note:
    """The same note for the same words: most messages are judged in the same words as the one before."""
    return Note(rule, kept, evidence)


def refusal(reason: Reason, detail: str, retryable: bool = False) -> SendError:
    return SendError(reason, detail=detail, retryable=retryable)
