"""XMPP as a gateway speaks it: the stream of XEP-0114, addresses, messages, presence and queries. Bytes in, values out.

``stream`` cuts a stream into stanzas, ``jid`` has addresses and their escaping, ``message``, ``presence`` and ``iq``
read stanzas into values and write them. Nothing here knows a socket or a clock.
"""
