"""Message ids: the forms under which a receipt may name what submit_sm_resp named."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

ReceiptId = Literal["same", "hex2dec", "dec2hex", "auto"]

_HEX = re.compile(r"[0-9a-f]{1,16}\Z", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,20}\Z", re.ASCII)


class Form(NamedTuple):
    """A key to look receipts up by. A ``weak`` one was converted and may collide: the receiver must agree
    too.
    """

    key: str
    weak: bool = False


def normal(message_id: str) -> str:
    """The key of an id as a receipt carries it: no blanks, no leading zeros, lower case."""
    bare = message_id.strip().lower()
    return bare.lstrip("0") or ("0" if bare else "")


def forms(message_id: str, receipt_id: ReceiptId = "auto") -> tuple[Form, ...]:
    """All keys under which the receipt of a response's id is to be found.

    ``hex2dec``: the response is hex and the receipt decimal; ``dec2hex`` the other way; ``auto`` any of them.
    """
    plain = normal(message_id)
    if receipt_id == "same":
        return (Form(plain),)
    if receipt_id != "auto":
        return (Form(_converted(plain, receipt_id) or plain),)
    found = [Form(plain)]
    for direction in ("hex2dec", "dec2hex"):
        key = _converted(plain, direction)
        if key is not None and key not in (form.key for form in found):
            found.append(Form(key, weak=True))
    return tuple(found)


def _converted(plain: str, direction: str) -> str | None:
    if direction == "hex2dec":
        return str(int(plain, 16)) if _HEX.match(plain) else None
    return f"{int(plain):x}" if _DECIMAL.match(plain) else None


def check_digits(number: str) -> str:
    """The last seven digits of a number: what national and international forms of it share."""
    last = number[-7:]
    return last if last.isdecimal() else "".join(c for c in number if c.isdecimal())[-7:]
