"""Ids of MM4 in our terms. Pure."""

from __future__ import annotations

from opencpm.protocols.mms.content import bare_id


def reference(peer: str, ident: str) -> str:
    """The key of a report: what one peer says of an id does not touch the messages of another."""
    return f"{peer}/{bare_id(ident)}"
