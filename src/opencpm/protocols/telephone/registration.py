"""Registering an account at a trunk, so that its calls find us (RFC 3261 §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import parse_name_addr, parse_number
from opencpm.protocols.sip.message import Message

from .credentials import authorization, challenge_of
from .events import Credentials

Fields = list[tuple[str, str]]


@dataclass(slots=True, eq=False)
class Registration:
    """What stays the same over all REGISTERs of an account; ``context`` is the owner's."""

    context: Any
    flow: Any
    host: str
    credentials: Credentials
    call_id: str
    tag: str
    contact: str
    expires: int
    cseq: int = 0
    challenged: bool = False  # by the answer to the last REGISTER

    @property
    def uri(self) -> str:
        return f"sip:{self.host}"

    def fields(self, proof: Fields) -> Fields:
        """The header fields of the next REGISTER, without Via."""
        self.cseq += 1
        identity = f"<sip:{self.credentials.user}@{self.host}>"
        return [
            ("Max-Forwards", "70"),
            ("From", f"{identity};tag={self.tag}"),
            ("To", identity),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} REGISTER"),
            ("Contact", self.contact),
            ("Expires", str(self.expires)),
            *proof,
        ]

    def proof(self, response: Message, cnonce: str) -> Fields:
        """The answer to a challenge; nothing where there is none that can be answered, or one was answered already."""
        found = challenge_of(response) if response.status in (401, 407) and not self.challenged else None
        if found is None:
            return []
        self.challenged = True
        header, challenge = found
        user, password = self.credentials
        return [(header, authorization(challenge, user, password, "REGISTER", self.uri, cnonce))]

    def granted(self, response: Message) -> int:
        """For how many seconds a 200 holds: of our own Contact, else of the whole."""
        for value in response.values("contact"):
            try:
                contact = parse_name_addr(value)
                if contact.uri in self.contact and "expires" in contact.parameters:
                    return parse_number(contact.parameters["expires"], "expires")
            except SipError:
                continue
        try:
            return parse_number(response.get("expires"), "Expires")
        except SipError:
            return self.expires
