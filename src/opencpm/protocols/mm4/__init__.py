"""MM4: messages, reports and their responses between MMS centres, as mail (3GPP TS 23.140 §8.4)."""

from .errors import Mm4Error
from .mail import decode, encode, missing
from .messages import DeliveryReportReq, ForwardReq, Message, ReadReplyReq, Response, answer

__all__ = [
    "DeliveryReportReq",
    "ForwardReq",
    "Message",
    "Mm4Error",
    "ReadReplyReq",
    "Response",
    "answer",
    "decode",
    "encode",
    "missing",
]
