"""Addresses: ``local@domain/resource`` (RFC 6122), and characters that no local part may have (XEP-0106)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from slixmpp.jid import JID, InvalidJID

from opencpm.protocols.xmpp.errors import XmppError

_ESCAPES = {" ": "20", '"': "22", "&": "26", "'": "27", "/": "2f", ":": "3a", "<": "3c", ">": "3e", "@": "40"}
_CODES = {code: char for char, code in _ESCAPES.items()} | {"5c": "\\"}
_ESCAPED = re.compile(r"\\(" + "|".join(_CODES) + ")")
_TO_ESCAPE = re.compile(r"[ \"&'/:<>@]|\\(?=" + "|".join(_CODES) + ")")


class Jid(NamedTuple):
    """An address in canonical form: two that mean the same are equal. ``local`` and ``resource`` may be empty."""

    local: str
    domain: str
    resource: str = ""

    @property
    def bare(self) -> str:
        return f"{self.local}@{self.domain}" if self.local else self.domain

    def __str__(self) -> str:
        return f"{self.bare}/{self.resource}" if self.resource else self.bare


@lru_cache(maxsize=65536)
def parse(text: str) -> Jid:
    """Read an address; case and compatible forms are folded as the profiles of stringprep say.

    :raises XmppError: it is not one.
    """
    if not text or len(text) > 3071:
        raise XmppError("not an address", "improper-addressing")
    try:
        jid = JID(text)
    except (InvalidJID, ValueError, UnicodeError):
        raise XmppError("not an address", "improper-addressing") from None
    return Jid(jid.local, jid.domain, jid.resource)


def escape(text: str) -> str:
    """Any text as a local part (XEP-0106 §3). ``\\`` itself is escaped only where it would read as an escape (§4.2).

    :raises XmppError: it begins or ends with a space, or is empty.
    """
    if not text or text[0] == " " or text[-1] == " ":
        raise XmppError("no local part of an address", "improper-addressing")
    return _TO_ESCAPE.sub(lambda found: "\\" + _ESCAPES.get(found[0], "5c"), text)


def unescape(local: str) -> str:
    """The text that a local part stands for."""
    return _ESCAPED.sub(lambda found: _CODES[found[1]], local) if "\\" in local else local
