"""The content rules of MMS, both ways; they are shared with the applications that speak MM7 to us. Pure."""

from __future__ import annotations

from opencpm.media.mms import composed, content_of, in_order, received

__all__ = ["composed", "content_of", "in_order", "received"]
