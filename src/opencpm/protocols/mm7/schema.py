"""Schema releases of MM7 (3GPP TS 23.140 annex L): a namespace and the MM7Version that goes with it, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_BASE = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"


class Release(NamedTuple):
    """What a peer speaks: any namespace, any version text. Answers go out in that of the request."""

    namespace: str
    version: str


RELEASES = MappingProxyType(
    {
        name: Release(_BASE + name, version)
        for name, version in (
            ("REL-5-MM7-1-0", "5.3.0"),
            ("REL-5-MM7-1-1", "5.4.0"),
            ("REL-5-MM7-1-2", "5.5.0"),
            ("REL-5-MM7-1-3", "5.6.0"),
            ("REL-6-MM7-1-0", "6.4.0"),
            ("REL-6-MM7-1-1", "6.5.0"),
            ("REL-6-MM7-1-2", "6.6.0"),
            ("REL-6-MM7-1-3", "6.7.0"),
            ("REL-6-MM7-1-4", "6.8.0"),
        )
    }
)
REL_5 = RELEASES["REL-5-MM7-1-0"]
REL_6 = RELEASES["REL-6-MM7-1-4"]


def other(release: Release) -> Release:
    """The release to try when a peer does not understand this one."""
    return REL_5 if "REL-6" in release.namespace else REL_6
