"""Telephone calls over SIP trunks and gateways, without I/O: :mod:`agent` dials, answers and hangs up,
:mod:`audio` agrees on G.711 in SDP (RFC 3264), :mod:`caller` finds out who calls."""
