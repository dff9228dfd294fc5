"""What can go wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from opencpm.protocols.ymsg.services import Service


@dataclass(slots=True)
class Faults:
    """Switches of the lab, read at every packet. All off: a service that works."""

    delay: float = 0.0  # seconds before anything the service says
    silent: set[Service] = field(default_factory=set)  # what gets no answer
    drop: set[Service] = field(default_factory=set)  # packets at which the connection breaks without a word
    drop_after: set[Service] = field(default_factory=set)  # the same, but what they ask for is done first
    codes: dict[Service, int] = field(default_factory=dict)  # key 66 of the answers to FRIENDADD and the like
    refuse_login: int = 0  # key 66 for every login: 14
    refuse_hello: int = 0  # status of the answer to VERIFY, instead of 1
    method: int | None = None  # key 13 of the challenge, whatever the version
    piece: int = 0  # octets: everything the service says is cut into pieces of so many
    noise: bytes = b""  # said before every packet: unknown services, say
    web_status: int = 0  # HTTP status of every answer of the login host
    web_code: int = 0  # first line of every answer of the login host: 1212
    web_silent: bool = False  # the login host answers nothing
    keepalives: bool = True  # off: as historic servers, KEEPALIVE and PING get no answer
    swallow: bool = False  # texts are read and vanish

    def clear(self) -> None:
        """Everything works again."""
        fresh = Faults()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))
