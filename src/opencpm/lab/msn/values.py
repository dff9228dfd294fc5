"""What the lab's web sites take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.xmlsafe import XmlError, escape, local_name, parse_xml, walk

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class Asked(NamedTuple):
    """A request; `action` is the last word of its SOAPAction."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    action: str = ""

    def xml(self) -> Element | None:
        """The body, None when it is no XML."""
        try:
            return parse_xml(self.body, limit=1 << 20)
        except XmlError:
            return None


class Answered(NamedTuple):
    """An answer; `account` says whose affair it was, `note` what became of it, both for the log."""

    status: int
    headers: Mapping[str, str] = {}
    body: str = ""
    account: str = ""
    note: str = ""


Site = Callable[[Asked], Answered]


def soap(inside: str, account: str = "", note: str = "", status: int = 200) -> Answered:
    """A SOAP answer."""
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}">'
        f"<soap:Body>{inside}</soap:Body></soap:Envelope>"
    )
    return Answered(status, {}, text, account, note)


def fault(code: str, text: str = "", detail: str = "", account: str = "") -> Answered:
    """A SOAP fault, with HTTP 500 as the recorded server has it."""
    inside = (
        f'<soap:Fault><faultcode xmlns:q0="urn:lab">{code}</faultcode><faultstring>{escape(text)}</faultstring>'
        f"<detail>{detail}</detail></soap:Fault>"
    )
    return soap(inside, account, code, 500)


def texts(root: Element, name: str) -> list[str]:
    """The texts of all elements of this local name."""
    return [(each.text or "").strip() for each, _ in walk(root) if local_name(each) == name]


def text(root: Element, name: str) -> str:
    """The text of the first one, empty when there is none."""
    return next(iter(texts(root, name)), "")


def attribute(root: Element, element: str, name: str) -> str:
    """An attribute of the first element of this local name, empty when there is none."""
    return next((each.get(name, "") for each, _ in walk(root) if local_name(each) == element), "")
