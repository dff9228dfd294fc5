"""MM1: MMS encapsulation between a phone and its server (OMA MMS ENC 1.0 to 1.3), with WSP values and WAP push."""

from .errors import Mm1Error
from .pdu import Header, Pdu, decode, encode, missing

__all__ = ["Header", "Mm1Error", "Pdu", "decode", "encode", "missing"]
