"""What can go wrong on demand, and how real centres differ."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Read with every mail; counts and lists are used up."""

    refuse: list[str] = field(default_factory=list)  # X-Mms-Request-Status-Code of the next messages, one each
    smtp: list[str] = field(default_factory=list)  # replies to the next mails instead of 250
    no_response: int = 0  # so many requests get no RES
    max_size: int = 0  # larger mails get Error-content-not-accepted; 0: all are taken
    twice: int = 0  # so many of our messages are sent a second time, as one whose 250 was lost

    def clear(self) -> None:
        """Everything works again."""
        self.refuse.clear()
        self.smtp.clear()
        self.no_response = self.max_size = self.twice = 0


@dataclass(frozen=True, slots=True)
class Quirks:
    """How this centre writes; the recorded one does all of it but ``old_status``."""

    plus: bool = True  # numbers with +
    domains: bool = True  # numbers with @domain in headers
    quoted: bool = False  # ids in double quotes
    own_ids: bool = False  # X-Mms-Message-ID of a RES is its own
    bare_res: bool = False  # RES without Date and Content-Type
    old_status: bool = False  # X-Mms-Status instead of X-Mms-MM-Status-Code
    read_report: bool = False  # X-Mms-Read-Report instead of X-Mms-Read-Reply
    ack: str = "Yes"  # X-Mms-Ack-Request


RECORDED = Quirks(plus=False, domains=False, quoted=True, own_ids=True, bare_res=True, read_report=True)
