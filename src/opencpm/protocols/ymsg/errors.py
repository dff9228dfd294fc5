"""The one error of the package, and what the codes of a refused login mean."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class YmsgError(ValueError):
    """Octets or a value that YMSG does not allow; the only error the package raises."""


class Kind(StrEnum):
    """What a refusal means to the one who caused it."""

    CREDENTIALS = "credentials"  # wrong password, unknown or locked id: trying again does not help
    UNSUPPORTED = "unsupported"  # a way of logging in, or a version, that one side does not know
    ELSEWHERE = "elsewhere"  # signed in somewhere else: not to be fought
    TEMPORARY = "temporary"


class Trouble(NamedTuple):
    kind: Kind
    code: int  # key 66, or the number of the web login; 0 where there was none
    text: str


_LOGIN: Final = {  # key 66 of AUTHRESP with status -1
    3: "there is no such id",
    13: "the password is wrong",
    14: "the account is locked; its owner has to unlock it",
    29: "the id or the password is wrong",
    1013: "the id must not contain a domain",
}
_TOKEN: Final = {  # first line of the web login's answer
    100: "a field is missing",
    1212: "the id or the password is wrong",
    1213: "the account is locked",
    1214: "the account is locked",
    1216: "the account is locked",
    1235: "there is no such id",
    1236: "the account is locked",
}
_ELSEWHERE: Final = frozenset({0, 42, 99})  # key 66 of LOGOFF with status -1; 0: none


def login_trouble(code: int) -> Trouble:
    """Why AUTHRESP refused."""
    if code in _LOGIN:
        return Trouble(Kind.CREDENTIALS, code, _LOGIN[code])
    return Trouble(Kind.TEMPORARY, code, f"the server refused the login (code {code})")


def token_trouble(code: int) -> Trouble:
    """Why the web login refused."""
    if code in _TOKEN:
        return Trouble(Kind.CREDENTIALS, code, _TOKEN[code])
    return Trouble(Kind.TEMPORARY, code, f"the login host refused (code {code})")


def logoff_trouble(code: int) -> Trouble:
    """Why the server signed us off."""
    if code in _ELSEWHERE:
        return Trouble(Kind.ELSEWHERE, code, "signed in at another place")
    return Trouble(Kind.TEMPORARY, code, f"the server signed us off (code {code})")
