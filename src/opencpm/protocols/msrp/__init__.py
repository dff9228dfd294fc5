"""MSRP (RFC 4975, RFC 6135): bytes in, frames and messages out; time and ids are arguments, there is no I/O here."""
