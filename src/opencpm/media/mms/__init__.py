"""The content of multimedia messages as networks and applications carry it: written with a presentation, and read."""

from opencpm.media.mms.content import composed, content_of, in_order, received
from opencpm.media.mms.slides import slides_of

__all__ = ["composed", "content_of", "in_order", "received", "slides_of"]
