"""The terms of a session: how an ESME introduces itself, and the timers."""

from __future__ import annotations

from dataclasses import dataclass

from .command import Command
from .pdu import Pdu, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """How an ESME introduces itself (SMPP 3.4 §4.1). ``version``: 33h, 34h or 50h."""

    system_id: str
    password: str = ""
    system_type: str = ""
    command: Command = Command.BIND_TRANSCEIVER
    version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def pdu(self, sequence: int) -> Pdu:
        """The bind request."""
        body: dict[str, Value] = {
            "system_id": self.system_id,
            "password": self.password,
            "system_type": self.system_type,
            "interface_version": self.version,
            "addr_ton": self.addr_ton,
            "addr_npi": self.addr_npi,
            "address_range": self.address_range,
        }
        return Pdu(self.command, 0, sequence, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """§7.2, in seconds; 0 switches ``inactivity`` and ``enquire_link`` off."""

    session_init: float = 10.0
    enquire_link: float = 30.0
    enquire_response: float = 10.0
    response: float = 30.0
    inactivity: float = 0.0
