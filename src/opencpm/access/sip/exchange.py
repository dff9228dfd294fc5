"""What passes between the endpoint and those who use it: requests to answer, requests under way, owners of dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction
from opencpm.transport.flow import Flow

OnAnswer = Callable[[Message | None, bool], None]


@dataclass(slots=True, eq=False)
class Request:
    """A request to be answered with `Endpoint.answer`."""

    message: Message
    flow: Flow
    transaction: ServerTransaction | None
    to_tag: str
    on_cancel: Callable[[], None] | None = None
    answered: bool = False

    @property
    def method(self) -> str:
        return self.message.method


@dataclass(slots=True, eq=False)
class Sent:
    """A request of ours under way. Its transaction holds it and not the other way round: a cycle for each message
    would be left to the collector. `branch` is empty when nothing was sent."""

    message: Message
    flow: Flow
    on_answer: OnAnswer
    branch: str = ""


class DialogUser(Protocol):
    """Who owns a dialog."""

    def requested(self, request: Request) -> None:
        """An in-dialog request other than ACK and CANCEL; answer it."""

    def acknowledged(self, ack: Request) -> None:
        """The ACK to our 2xx; its body may be an SDP answer. Not to be answered."""

    def ack_missing(self) -> None:
        """No ACK came within 32 s: end the dialog with BYE."""


@dataclass(slots=True)
class Counters:
    received: int = 0
    sent: int = 0
    malformed: int = 0
    refused: int = 0
    by_method: dict[str, int] = field(default_factory=dict)
