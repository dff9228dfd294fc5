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


class ReceiptIds:
    """What one account's centre makes of its ids, learned from its receipts where the setting is ``auto``.

    After ``_CERTAIN`` receipts in a row that name their message in the same form, only that form is kept of further
    ids. A receipt in another form is still understood while its message is among the last ``_RECENT``, and begins anew.
    """

    __slots__ = ("_form", "_recent", "_setting", "_streak")

    def __init__(self, setting: ReceiptId = "auto") -> None:
        self._setting = setting
        self._recent: dict[str, None] = {}
        self._form: ReceiptId = setting
        self._streak = 0

    @property
    def form(self) -> ReceiptId:
        """The form that is certain; ``auto``: none is yet."""
        return self._form if self._setting != "auto" or self._streak >= _CERTAIN else "auto"

    def forms(self, message_id: str) -> tuple[Form, ...]:
        """The keys under which the receipt of a response's id is to be found."""
        if self._setting == "auto":
            self._recent[normal(message_id)] = None
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        return forms(message_id, self.form)

    def key(self, receipt_id: str) -> str:
        """The key of the id in a receipt."""
        plain = normal(receipt_id)
        if self._setting != "auto":
            return plain
        certain = self.form
        form, meant = self._meant(plain)
        if form is None:
            return plain
        self._streak = self._streak + 1 if form == self._form else 1
        self._form = form
        return plain if certain in ("auto", form) else forms(meant, certain)[0].key

    def _meant(self, plain: str) -> tuple[ReceiptId | None, str]:
        """In which form a receipt names which of the recent ids."""
        if plain in self._recent:
            return "same", plain
        for form, back in _BACK:
            meant = _converted(plain, back)
            if meant is not None and meant in self._recent:
                return form, meant
        return None, plain


_CERTAIN = 20
_RECENT = 4096
_BACK: tuple[tuple[ReceiptId, str], ...] = (("hex2dec", "dec2hex"), ("dec2hex", "hex2dec"))


def check_digits(number: str) -> str:
    """The last seven digits of a number: what national and international forms of it share."""
    last = number[-7:]
    return last if last.isdecimal() else "".join(c for c in number if c.isdecimal())[-7:]
