"""Well-known numbers of content types and of their parameters (WAP-230-WSP appendix A, tables 40 and 38)."""

from __future__ import annotations

from types import MappingProxyType

MEDIA_TYPES = MappingProxyType(
    {
        0x00: "*/*",
        0x01: "text/*",
        0x02: "text/html",
        0x03: "text/plain",
        0x06: "text/x-vCalendar",
        0x07: "text/x-vCard",
        0x08: "text/vnd.wap.wml",
        0x0B: "multipart/*",
        0x0C: "multipart/mixed",
        0x0D: "multipart/form-data",
        0x0E: "multipart/byteranges",
        0x0F: "multipart/alternative",
        0x10: "application/*",
        0x12: "application/x-www-form-urlencoded",
        0x1C: "image/*",
        0x1D: "image/gif",
        0x1E: "image/jpeg",
        0x1F: "image/tiff",
        0x20: "image/png",
        0x21: "image/vnd.wap.wbmp",
        0x22: "application/vnd.wap.multipart.*",
        0x23: "application/vnd.wap.multipart.mixed",
        0x24: "application/vnd.wap.multipart.form-data",
        0x25: "application/vnd.wap.multipart.byteranges",
        0x26: "application/vnd.wap.multipart.alternative",
        0x27: "application/xml",
        0x28: "text/xml",
        0x29: "application/vnd.wap.wbxml",
        0x2D: "text/vnd.wap.si",
        0x2E: "application/vnd.wap.sic",
        0x30: "application/vnd.wap.slc",
        0x33: "application/vnd.wap.multipart.related",
        0x3B: "application/xhtml+xml",
        0x3E: "application/vnd.wap.mms-message",
        0x48: "application/vnd.oma.drm.message",
        0x49: "application/vnd.oma.drm.content",
        0x4A: "application/vnd.oma.drm.rights+xml",
        0x4B: "application/vnd.oma.drm.rights+wbxml",
        0x4F: "audio/*",
        0x50: "video/*",
    }
)
NUMBERS = MappingProxyType({name.lower(): number for number, name in MEDIA_TYPES.items()})

Q = 0x00
CHARSET = 0x01
TYPE = 0x09
PARAMETERS = MappingProxyType(
    {
        Q: "q",
        CHARSET: "charset",
        0x02: "level",
        0x03: "type",
        0x05: "name",
        0x06: "filename",
        0x07: "differences",
        0x08: "padding",
        TYPE: "type",
        0x0A: "start",
        0x0B: "start-info",
        0x0C: "comment",
        0x0D: "domain",
        0x0E: "max-age",
        0x0F: "path",
        0x10: "secure",
        0x11: "sec",
        0x12: "mac",
        0x13: "creation-date",
        0x14: "modification-date",
        0x15: "read-date",
        0x16: "size",
        0x17: "name",
        0x18: "filename",
        0x19: "start",
        0x1A: "start-info",
        0x1B: "comment",
        0x1C: "domain",
        0x1D: "path",
    }
)
# How we write a parameter: the older, untyped-text numbers, which every handset reads.
PARAMETER_NUMBERS = MappingProxyType(
    {"charset": CHARSET, "name": 0x05, "filename": 0x06, "type": TYPE, "start": 0x0A, "start-info": 0x0B}
)
