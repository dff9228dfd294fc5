"""Presentations out of recorded messages; those of MM1 have junk behind their end."""

from __future__ import annotations

from opencpm.protocols.mm1.pdu import decode
from tests.protocols.mm1.vectors import fixture

RECORDED = [decode(fixture(name)).parts()[0].data for name in ("mm1-retrieve-conf.bin", "mm1-send-req.bin")]
