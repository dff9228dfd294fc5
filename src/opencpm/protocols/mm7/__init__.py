"""MM7: value-added services and MMS centres, SOAP with attachments over HTTP (3GPP TS 23.140 §8.7), both sides."""

from .errors import Mm7Error
from .message import Message, answer, decode, encode, error
from .schema import REL_5, REL_6, RELEASES, Release

__all__ = ["REL_5", "REL_6", "RELEASES", "Message", "Mm7Error", "Release", "answer", "decode", "encode", "error"]
