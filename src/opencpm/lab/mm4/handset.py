"""A phone of the lab's centre: it gets multimedia messages, tells what becomes of them, and sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opencpm.lab.smsc.happenings import Happenings
from opencpm.protocols.mime import Part, media_type

Parts = Sequence[Part | str]
"""What a handset sends: texts and media parts."""


@dataclass(slots=True, eq=False)
class Mms:
    """A message on the phone, as it came. ``wants_*``: what its sender asked for."""

    at: float
    sender: str
    subject: str
    parts: tuple[Part, ...]
    transaction_id: str
    message_id: str
    wants_delivery: bool = False
    wants_read: bool = False

    @property
    def text(self) -> str:
        return "\n".join(p.body.decode() for p in self.parts if media_type(p.content_type) == "text/plain")

    @property
    def media(self) -> list[Part]:
        """Everything but texts and the presentation."""
        kinds = ("text/plain", "application/smil")
        return [part for part in self.parts if media_type(part.content_type) not in kinds]


@dataclass(slots=True, eq=False)
class SentMms:
    """A message the phone sent, and what its centre heard of it: the RES, then reports."""

    at: float
    to: str
    transaction_id: str
    message_id: str
    status: str = ""  # X-Mms-Request-Status-Code
    delivery: list[str] = field(default_factory=list)  # X-Mms-MM-Status-Code of reports
    read: list[str] = field(default_factory=list)


Send = Callable[["Handset", str, Parts, str, bool, bool], SentMms]
Tell = Callable[["Handset", Mms, str], None]


@dataclass(slots=True, eq=False)
class Handset:
    """One phone; ``inbox`` is what it got, ``sent`` what it wrote. Made by ``LabMm4.handset``.

    ``reports`` is what becomes of each message by itself: Retrieved, Deferred, Rejected ...; empty: nothing is said.
    """

    number: str
    happenings: Happenings
    submit: Send
    tell_delivery: Tell
    tell_read: Tell
    reports: str = "Retrieved"
    inbox: list[Mms] = field(default_factory=list)
    sent: list[SentMms] = field(default_factory=list)

    async def wait_mms(self, index: int = 0, patience: float = 10.0) -> Mms:
        """The message at ``index`` of the inbox. Raises TimeoutError."""
        await self.happenings.until(lambda: len(self.inbox) > index, patience)
        return self.inbox[index]

    def send(
        self, parts: Parts, to: str, *, subject: str = "", delivery_report: bool = True, read_report: bool = True
    ) -> SentMms:
        """Write to a number."""
        sent = self.submit(self, to, parts, subject, delivery_report, read_report)
        self.sent.append(sent)
        return sent

    def report(self, mms: Mms, status: str) -> None:
        """Tell what became of a message."""
        self.tell_delivery(self, mms, status)

    def read(self, mms: Mms, status: str = "Read") -> None:
        """The owner looks at it (or deletes it unread)."""
        self.tell_read(self, mms, status)
