"""SIP (RFC 3261) without I/O, split by layer: message, uri, headers, features, digest, framing,
transaction, dialog, and what CPM needs of GRUU (RFC 5627) and outbound (RFC 5626).

Everything here is pure: the time, tags, branches and keys are arguments. Parsers raise `SipError` only.
"""
