"""A stream cut into stanzas: RFC 6120 §4, with the restrictions of §11.1 (no DTD, comments or processing instructions).

An XML stream is one document that never ends, so :func:`opencpm.protocols.xmlsafe.parse_xml` cannot read it. The same
promises hold here: nothing is declared, so no entity but the five of XML can be used, and size and depth are bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from opencpm.protocols.xmpp.errors import XmppError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_STANZA = 1 << 20
"""Octets of one stanza. Servers send components half of it at most."""
MAX_DEPTH = 32


class Opened(NamedTuple):
    """The other side's stream header."""

    tag: str
    attributes: dict[str, str]


class Closed(NamedTuple):
    """The other side ended its stream in good order."""


Event = Opened | Closed
_NOTHING_MORE = "after its end"


class StreamReader:
    """Feed it octets, take what is complete. After an error it takes nothing more."""

    def __init__(self, max_stanza: int = MAX_STANZA, max_depth: int = MAX_DEPTH) -> None:
        self._max_stanza, self._max_depth = max_stanza, max_depth
        self._found: list[Event | Element] = []
        self._depth = 0
        self._fed = 0
        self._begun = 0  # where what is not complete yet begins
        self._names: dict[str, str] = {}
        self._builder: TreeBuilder | None = None
        self._over = ""
        self._parser = self._new_parser()

    def feed(self, data: bytes) -> list[Event | Element]:
        """What ``data`` completes, in order: the header, stanzas as elements, the end.

        :raises XmppError: not a stream, or not within the bounds. What came before the error is lost with it.
        """
        if self._over:
            raise XmppError(f"octets {self._over}", "not-well-formed")
        self._fed += len(data)
        try:
            if b"\0" in data:  # UTF-16, which expat would recognise whatever it is told
                raise XmppError("not UTF-8", "unsupported-encoding")
            self._parser.Parse(data, False)
        except expat.ExpatError:
            self._over = "after an error"
            raise XmppError("not well-formed XML", "not-well-formed") from None
        except XmppError:
            self._over = "after an error"
            raise
        if self._fed - self._begun > self._max_stanza:
            self._over = "after an error"
            raise XmppError(f"a stanza of more than {self._max_stanza} octets", "policy-violation")
        found, self._found = self._found, []
        return found

    def _new_parser(self) -> Any:
        parser = expat.ParserCreate("utf-8", "}")  # RFC 6120 §11.6: whatever the declaration says
        parser.buffer_text = True
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)  # a stanza is read when it is there, not when the next one comes
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._restricted
        parser.EntityDeclHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted
        parser.CommentHandler = self._restricted
        return parser

    def _restricted(self, *_: object) -> None:
        raise XmppError("DTD, comments and processing instructions are not accepted", "restricted-xml")

    def _name(self, name: str) -> str:
        """Expat's ``uri}local`` as ``{uri}local``. Names are few; strangers' names must not fill the memory."""
        known = self._names.get(name)
        if known is None:
            known = "{" + name if "}" in name else name
            if len(self._names) < 1000:
                self._names[name] = known
        return known

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._max_depth + 1:
            raise XmppError(f"a stanza nested over {self._max_depth} levels", "policy-violation")
        given = {self._name(key): value for key, value in attributes.items()}
        if self._depth == 1:
            self._begun = self._parser.CurrentByteIndex
            self._found.append(Opened(self._name(tag), given))
            return
        if self._depth == 2:
            self._begun = self._parser.CurrentByteIndex
            self._builder = TreeBuilder()
        assert self._builder is not None
        self._builder.start(self._name(tag), given)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._found.append(Closed())
            self._over = _NOTHING_MORE
            return
        assert self._builder is not None
        self._builder.end(self._name(tag))
        if self._depth == 1:
            if self._parser.CurrentByteIndex - self._begun > self._max_stanza:
                raise XmppError(f"a stanza of more than {self._max_stanza} octets", "policy-violation")
            self._found.append(self._builder.close())
            self._builder = None
            self._begun = self._parser.CurrentByteIndex

    def _data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)
        elif self._depth == 1:
            if text.strip():
                raise XmppError("text between stanzas", "bad-format")
            self._begun = self._parser.CurrentByteIndex  # a white space keepalive
