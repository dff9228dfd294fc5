"""What can go wrong on demand."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Switches of the lab, read at every command. All off: a service that works."""

    delay: float = 0.0  # seconds before anything the service says
    silent: set[str] = field(default_factory=set)  # verbs that get no answer: {"CAL"}
    errors: dict[str, int] = field(default_factory=dict)  # verbs answered with an error number: {"XFR": 713}
    refuse_login: int = 0  # error number for every ticket: 911
    passport_status: int = 0  # HTTP status for every login by Passport or token service: 503
    web_status: dict[str, int] = field(default_factory=dict)  # HTTP status for an operation or a path
    web_faults: dict[str, str] = field(
        default_factory=dict
    )  # SOAP fault for an operation: {"Store": "SystemUnavailable"}
    web_silent: set[str] = field(default_factory=set)  # operations or paths that get no answer
    drop: set[str] = field(default_factory=set)  # verbs at which the connection breaks without a word: {"USR"}
    redirect: str = ""  # another notification server, to which every login is sent on: "127.0.0.1:1865"
    nak: bool = False  # every message is NAKed instead of delivered
    swallow: bool = False  # messages vanish: neither delivered nor answered

    def clear(self) -> None:
        """Everything works again."""
        self.delay = 0.0
        for switches in (self.silent, self.errors, self.web_status, self.web_faults, self.web_silent, self.drop):
            switches.clear()
        self.refuse_login = self.passport_status = 0
        self.redirect = ""
        self.nak = self.swallow = False
