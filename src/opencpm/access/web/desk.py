"""What the web access needs to take in and hand out files."""

from __future__ import annotations

from dataclasses import dataclass

from opencpm.interfaces import Uploads
from opencpm.messaging.shares import Shares


@dataclass(frozen=True, slots=True)
class FileDesk:
    """``realm``: of digest authentication, the same as over SIP. ``digest``: whether downloads need it."""

    files: Shares
    uploads: Uploads
    realm: str
    digest: bool = True
