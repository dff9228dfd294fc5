"""SOAP 1.1 as MSN's web services speak it: requests as values, answers read, faults told apart."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import XmlError, local_name, parse_xml, walk

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
MAX_ANSWER = 4 << 20  # octets: an address book of thousands
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


class HttpRequest(NamedTuple):
    """A request to be made. Headers and body hold passwords or tickets: never to be logged."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "GET"


class HttpReply(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Fault(MsnpError):
    """The service refused. `code` is its own word for why (`InvalidPassportUser`), else the SOAP fault code without its
    prefix; `detail` are further elements by their name (`LockKeyChallenge`, `redirectUrl`)."""

    def __init__(self, code: str, text: str, detail: Mapping[str, str]) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code, self.text, self.detail = code, text, detail


def post(url: str, body: str, action: str = "") -> HttpRequest:
    """A SOAP call."""
    kind = "text/xml; charset=utf-8" if action else "text/xml"
    headers = {"Content-Type": kind, **({"SOAPAction": f'"{action}"'} if action else {})}
    return HttpRequest(url, headers, body.encode("utf-8", "replace"), "POST")


def envelope(header: str, body: str, schema: bool = False) -> str:
    """A SOAP envelope; `schema` declares the two namespaces that some services look for."""
    more = ""
    if schema:
        more = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    return (
        f'{DECLARATION}<soap:Envelope{more} xmlns:soap="{ENVELOPE}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def read(reply: HttpReply) -> "Element":
    """The envelope of an answer. Raises Fault where the service refused, MsnpError where it said nothing readable."""
    try:
        root = parse_xml(reply.body, limit=MAX_ANSWER, max_depth=48)
    except XmlError as error:
        raise MsnpError(f"the service answered {reply.status} ({error})") from None
    fault = first(root, "Fault")
    if fault is not None:
        raise _fault(fault)
    if reply.status != 200:
        raise MsnpError(f"the service answered {reply.status}")
    return root


def _fault(element: "Element") -> Fault:
    found = {local_name(each): (each.text or "").strip()[:500] for each, _ in walk(element)}
    own = found.get("errorcode", "")
    code = own or found.get("faultcode", "").rpartition(":")[2]
    return Fault(
        code if _CODE.match(code) else "Fault", found.get("errorstring") or found.get("faultstring", ""), found
    )


def first(root: "Element", name: str) -> "Element | None":
    """The first element of this local name, in document order."""
    return next((element for element, _ in walk(root) if local_name(element) == name), None)


def every(root: "Element", name: str) -> "list[Element]":
    """All elements of this local name, in document order."""
    return [element for element, _ in walk(root) if local_name(element) == name]


def text(root: "Element", name: str) -> str:
    """The text of the first such element, empty when there is none."""
    found = first(root, name)
    return (found.text or "").strip() if found is not None else ""


def child(root: "Element", name: str) -> str:
    """The text of a direct child, empty when there is none."""
    found = next((each for each in root if local_name(each) == name), None)
    return (found.text or "").strip() if found is not None else ""


def redirected(asked: str, target: str) -> str:
    """The URL a service sends us on to. Raises MsnpError: never from an encrypted to a plain connection, for what is
    sent there is a secret."""
    parts = urlsplit(target)
    downgraded = asked.startswith("https://") and parts.scheme != "https"
    if parts.scheme not in ("https", "http") or not parts.hostname or downgraded:
        raise MsnpError("sent on to nowhere")
    return target
