"""A person at a real XMPP server, with slixmpp as their client."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from slixmpp import ClientXMPP

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.lab.xmpp.log import StanzaLog
from opencpm.lab.xmpp.person import Person
from opencpm.protocols.xmlsafe import parse_xml
from opencpm.protocols.xmpp import jid, message, names, presence
from opencpm.protocols.xmpp.presence import PresenceStanza

PATIENCE = 15.0


class Client(Person):
    """The same person, but the server between is somebody else's: it keeps the roster, the store and who sees whom.

    ``log``: what the client sent (C) and was sent (S).
    """

    def __init__(self, address: str, password: str, where: tuple[str, int]) -> None:
        super().__init__(address, self._out, Happenings())
        self.log = StanzaLog(names.CLIENT)
        self.occupants: set[str] = set()  # of rooms, by their addresses in them
        self._password, self._where = password, where
        self._stream: Any = None

    # -- being there

    async def connect(self, resource: str = "phone") -> None:
        """Sign in and be seen. Raises TimeoutError when the server does not let us in."""
        # every plain mechanism is fine on loopback, and only there
        plain = {"unencrypted_plain": True, "unencrypted_scram": True}
        config = {"feature_mechanisms": plain}
        stream: Any = ClientXMPP(f"{self.address}/{resource}", self._password, plugin_config=config)
        stream.enable_starttls = stream.enable_direct_tls = False
        stream.enable_plaintext = True
        stream.auto_authorize = stream.auto_subscribe = None
        started = asyncio.Event()
        stream.add_event_handler("session_start", lambda _: started.set())
        stream.add_filter("in", self._in)
        self._stream = stream
        stream.connect(*self._where)
        async with asyncio.timeout(PATIENCE):
            await started.wait()
            await stream.get_roster()  # RFC 6121 §3.1.6: who has not asked for it is told of no requests and answers
        self.resource = resource
        self.set_status(self.show, self.status)

    async def leave(self) -> None:
        """Sign out, and wait until the server has closed."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        over = asyncio.Event()
        stream.add_event_handler("disconnected", lambda _: over.set())
        stream.send_raw("<presence type='unavailable'/>")
        stream.disconnect(wait=2.0)
        async with asyncio.timeout(PATIENCE):
            await over.wait()
        filters = stream._run_out_filters  # its task for sending lives as long as the object
        if filters is not None:
            filters.cancel()
        self.resource = ""

    def set_status(self, show: str = "", status: str = "") -> None:
        """Told to the server, which tells those who may see it."""
        self.show, self.status = show, status
        shown = presence.write(PresenceStanza(sender=self.jid, to="", show=show, status=status))
        self._out(shown.replace(' to=""', "", 1))

    def approve(self, who: str, yes: bool = True) -> None:
        self._presence(who, "subscribed" if yes else "unsubscribed", bare=True)

    def enter(self, room: str, nick: str) -> None:
        """Join a room."""
        self._out(presence.write(PresenceStanza(sender=self.jid, to=f"{room}/{nick}", join=True)))

    # -- the wire

    def _out(self, text: str) -> None:
        """The server knows who we are, and puts it there."""
        if self._stream is None:
            return
        plain = text.replace(f' from="{self.jid}"', "", 1).replace(f' from="{self.address}"', "", 1)
        self.log.add("C", parse_xml(f"<stream xmlns='{names.CLIENT}'>{plain}</stream>".encode(), limit=1 << 20)[0])
        self._stream.send_raw(plain)

    def _in(self, stanza: Any) -> Any:
        """What the server brings: read as our own people read it."""
        kind = stanza.xml.tag.rpartition("}")[2]
        if kind in ("message", "presence"):
            self.log.add("S", stanza.xml)
        if kind == "message":
            self._show(message.read(stanza.xml))
        elif kind == "presence":
            shown = presence.read(stanza.xml)
            if shown is not None and jid.parse(shown.sender).bare != self.address:
                (self.occupants.discard if shown.type else self.occupants.add)(shown.sender)
                self.take_presence(shown)
        else:
            self._happenings.add(Happening(time.time(), "heard", self.address))
            return stanza
        return None
