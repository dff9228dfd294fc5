"""What can go wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Faults:
    """Switches, read at every request. Counts go down by one with each request they spoil."""

    statuses: list[int] = field(default_factory=list)  # StatusCodes of the next submissions
    http: list[int] = field(default_factory=list)  # HTTP statuses of the next requests, without a body
    refuse: dict[str, int] = field(default_factory=dict)  # number -> StatusCode of every submission to it
    no_answer: int = 0  # so many are taken, and the connection closes without a word
    silent: int = 0  # so many are taken, and the connection stays open without a word
    disconnect: int = 0  # so many connections close before the request is read
    empty: int = 0  # so many are answered 200 with nothing in it
    only_release: str = ""  # other schema releases get 4002
    forget_links: bool = False  # no LinkedID is known: 2006
    hold_reports: bool = False  # reports wait until released
    reports_first: bool = False  # reports are sent before the submission is answered

    def clear(self) -> None:
        """Everything works again."""
        whole = Faults()
        for switch in fields(self):
            setattr(self, switch.name, getattr(whole, switch.name))
