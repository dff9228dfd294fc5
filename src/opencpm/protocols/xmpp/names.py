"""Namespaces, each with the document that defines it."""

from __future__ import annotations

from typing import Final

STREAM: Final = "http://etherx.jabber.org/streams"  # RFC 6120 §4.8.1
STREAM_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-streams"  # RFC 6120 §4.9
STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"  # RFC 6120 §8.3
COMPONENT: Final = "jabber:component:accept"  # XEP-0114
CLIENT: Final = "jabber:client"  # RFC 6120 §4.8.3
DISCO_INFO: Final = "http://jabber.org/protocol/disco#info"  # XEP-0030
DISCO_ITEMS: Final = "http://jabber.org/protocol/disco#items"
MUC: Final = "http://jabber.org/protocol/muc"  # XEP-0045
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
VCARD: Final = "vcard-temp"  # XEP-0054
OOB: Final = "jabber:x:oob"  # XEP-0066
REGISTER: Final = "jabber:iq:register"  # XEP-0077
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"  # XEP-0085
VERSION: Final = "jabber:iq:version"  # XEP-0092
NICK: Final = "http://jabber.org/protocol/nick"  # XEP-0172
RECEIPTS: Final = "urn:xmpp:receipts"  # XEP-0184
PING: Final = "urn:xmpp:ping"  # XEP-0199
DELAY: Final = "urn:xmpp:delay"  # XEP-0203
ATTENTION: Final = "urn:xmpp:attention:0"  # XEP-0224
DIRECT_INVITATION: Final = "jabber:x:conference"  # XEP-0249
CARBONS: Final = "urn:xmpp:carbons:2"  # XEP-0280
CORRECTION: Final = "urn:xmpp:message-correct:0"  # XEP-0308
MARKERS: Final = "urn:xmpp:chat-markers:0"  # XEP-0333
HINTS: Final = "urn:xmpp:hints"  # XEP-0334
