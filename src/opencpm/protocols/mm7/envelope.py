"""The SOAP envelope of MM7: a TransactionID in the header, one operation in the body (3GPP TS 23.140 §8.7.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opencpm.protocols.xmlsafe import XmlError, escape, local_name, namespace, parse_xml, walk

from .elements import RESPONSE_SLOTS, SLOTS, Slot, child, tag, text_of
from .errors import Mm7Error
from .operations import ERRORS, NAMES, RESPONSES, Operation, Response, name_of
from .schema import REL_6, SOAP, Release
from .values import NO_RECIPIENTS, NO_SENDER, NO_STATUS, Status

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_XML = 512 << 10
_MAX_DEPTH = 16
_CLASSES = {name: cls for cls, name in NAMES.items()}
_EMPTY: tuple[Any, ...] = (None, "", (), NO_RECIPIENTS, NO_SENDER, NO_STATUS)
_SERVER_ERROR, _CLIENT_ERROR = 3000, 2000


class Envelope(NamedTuple):
    """A message without its content. Of a request that could not be read, peers answer TransactionID 0000."""

    transaction_id: str
    operation: Operation
    release: Release = REL_6


def read_envelope(data: bytes) -> Envelope:
    """Elements are matched by local name: any namespace, prefix, order; unknown ones are skipped.

    Raises Mm7Error: not XML, no SOAP, no operation we know, or a number that is none.
    """
    try:
        root = parse_xml(data.lstrip(), limit=MAX_XML, max_depth=_MAX_DEPTH)
    except XmlError as error:
        raise Mm7Error(str(error)) from None
    body = child(root, "Body")
    if local_name(root) != "Envelope" or body is None:
        raise Mm7Error("no SOAP envelope")
    header = child(root, "Header")
    transaction = text_of(child(header, "TransactionID")) if header is not None else ""
    element = next(iter(body), None)
    if element is None:
        raise Mm7Error("no operation")
    operation, spoken = _operation(element)
    return Envelope(transaction, operation, Release(namespace(spoken), text_of(child(spoken, "MM7Version"))))


def _operation(element: Element) -> tuple[Operation, Element]:
    name = local_name(element)
    if name == "Fault":
        return _fault(element)
    if name in RESPONSES or name in ERRORS:
        return Response(operation=name, **_values(element, RESPONSE_SLOTS)), element
    cls = _CLASSES.get(name)
    if cls is None:
        raise Mm7Error("unknown operation")
    return cls(**_values(element, SLOTS[name])), element


def _fault(fault: Element) -> tuple[Response, Element]:
    for element, _ in walk(fault):
        name = local_name(element)
        if name in ERRORS:
            return Response(operation=name, **_values(element, RESPONSE_SLOTS)), element
    client = text_of(child(fault, "faultcode")).rpartition(":")[2].startswith("Client")
    status = Status(_CLIENT_ERROR if client else _SERVER_ERROR, text_of(child(fault, "faultstring")))
    return Response(operation="Fault", status=status), fault


def _values(element: Element, slots: tuple[Slot, ...]) -> dict[str, Any]:
    found: dict[str, Element] = {}
    for inner in element:
        found.setdefault(local_name(inner), inner)
    return {slot.attribute: slot.kind.read(found[slot.element]) for slot in slots if slot.element in found}


def write_envelope(envelope: Envelope) -> bytes:
    """The envelope; errors go in a SOAP fault. Raises Mm7Error for a value that has no spelling."""
    operation = envelope.operation
    name = name_of(operation)
    declared = f' xmlns:mm7="{escape(envelope.release.namespace)}"'
    content = tag("MM7Version", escape(envelope.release.version)) + _elements(operation, _slots(operation))
    spelled = f"<mm7:{name}>{content}</mm7:{name}>"
    if name in ERRORS:
        spelled = _spell_fault(spelled, name, operation)
    elif name == "Fault":
        raise Mm7Error("a bare fault is not ours to write")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="{SOAP}"{declared}><env:Header>'
        f'<mm7:TransactionID env:mustUnderstand="1">{escape(envelope.transaction_id)}</mm7:TransactionID>'
        f"</env:Header><env:Body>{spelled}</env:Body></env:Envelope>"
    ).encode()


def _slots(operation: Operation) -> tuple[Slot, ...]:
    return RESPONSE_SLOTS if isinstance(operation, Response) else SLOTS[NAMES[type(operation)]]


def _elements(operation: Operation, slots: tuple[Slot, ...]) -> str:
    out = []
    for slot in slots:
        value = getattr(operation, slot.attribute)
        if value not in _EMPTY:
            out.append(slot.kind.write(slot.element, value))
    return "".join(out)


def _spell_fault(error: str, name: str, operation: Operation) -> str:
    client = isinstance(operation, Response) and 2000 <= operation.status.code < 3000
    code, said = ("Client", "Client error") if client else ("Server", "Server error")
    head = f"<faultcode>env:{code}</faultcode><faultstring>{said}</faultstring>"
    return f"<env:Fault>{head}<detail>{error}</detail></env:Fault>"


def missing(operation: Operation) -> tuple[str, ...]:
    """The elements that the operation must have and has not."""
    slots = _slots(operation)
    return tuple(slot.element for slot in slots if slot.required and getattr(operation, slot.attribute) in _EMPTY)
