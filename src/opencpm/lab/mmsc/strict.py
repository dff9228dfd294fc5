"""A centre that validates against the schema: what it dislikes in a request, in words (3GPP TS 23.140 annex L)."""

from __future__ import annotations

from typing import Final

from opencpm.protocols.mime import MimeError, parse_content_type, split_multipart
from opencpm.protocols.mms.content import bare_id
from opencpm.protocols.xmlsafe import XmlError, local_name, namespace, parse_xml, walk

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_MM7: Final = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/"
_VERSIONS: Final = {"REL-5-MM7-1-0": "5.3.0", "REL-6-MM7-1-4": "6.8.0"}
_SUBMIT: Final = """
MM7Version SenderIdentification Recipients ServiceCode LinkedID MessageClass TimeStamp ReplyCharging
EarliestDeliveryTime ExpiryDate DeliveryReport ReadReply Priority Subject ChargedParty ChargedPartyID
DistributionIndicator DeliveryCondition ApplicID ReplyApplicID AuxApplicInfo ContentClass DRMContent Content
"""
_CANCEL: Final = "MM7Version SenderIdentification MessageID ApplicID ReplyApplicID AuxApplicInfo"
_REPLACE: Final = """
MM7Version SenderIdentification MessageID ServiceCode TimeStamp ReadReply EarliestDeliveryTime
DistributionIndicator ApplicID ReplyApplicID AuxApplicInfo Content
"""
_ORDER: Final = {"SubmitReq": _SUBMIT.split(), "CancelReq": _CANCEL.split(), "ReplaceReq": _REPLACE.split()}
_REQUIRED: Final = {"SubmitReq": ("MM7Version", "SenderIdentification", "Recipients")}


def complaint(headers: dict[str, str], body: bytes) -> str:
    """What is wrong with a request; "" for nothing."""
    if headers.get("soapaction") != '""':
        return 'SOAPAction is not ""'
    content_type = headers.get("content-type", "")
    kind, parameters = parse_content_type(content_type)
    xml, ids = body, frozenset[str]()
    if kind == "multipart/related":
        if parameters.get("type") != "text/xml" or not parameters.get("start"):
            return "multipart/related without type and start"
        try:
            parts = split_multipart(content_type, body)
        except MimeError as error:
            return str(error)
        if not parts or bare_id(parts[0].get("Content-ID") or "") != bare_id(parameters["start"]):
            return "the first part is not the start"
        xml, ids = parts[0].body, frozenset(bare_id(part.get("Content-ID") or "") for part in parts)
    elif kind != "text/xml":
        return f"a request as {kind}"
    return _envelope(xml, ids)


def _envelope(xml: bytes, ids: frozenset[str]) -> str:
    try:
        root = parse_xml(xml, limit=1 << 20)
    except XmlError as error:
        return str(error)
    if root.tag != f"{{{_SOAP}}}Envelope" or [local_name(one) for one in root] != ["Header", "Body"]:
        return "no SOAP envelope with Header and Body"
    header, body = root
    if len(body) != 1 or len(header) != 1:
        return "not one TransactionID and one operation"
    operation = body[0]
    spoken, release = namespace(operation), namespace(operation).removeprefix(_MM7)
    if not spoken.startswith(_MM7) or namespace(header[0]) != spoken:
        return "header and body are not in one MM7 namespace"
    if header[0].get(f"{{{_SOAP}}}mustUnderstand") != "1":
        return "TransactionID without mustUnderstand"
    if any(namespace(element) != spoken for element, _ in walk(operation)):
        return "elements of another namespace"
    version = next((one.text for one in operation if local_name(one) == "MM7Version"), "")
    if release in _VERSIONS and version != _VERSIONS[release]:
        return f"MM7Version {version} in {release}"
    return _elements(local_name(operation), [local_name(one) for one in operation]) or _href(operation, ids)


def _elements(operation: str, found: list[str]) -> str:
    order = _ORDER.get(operation)
    if order is None:
        return ""
    unknown = [name for name in found if name not in order]
    if unknown:
        return f"{unknown[0]} is no element of {operation}"
    places = [order.index(name) for name in found]
    if places != sorted(set(places)):
        return f"elements of {operation} out of order or twice: {' '.join(found)}"
    missing = [name for name in _REQUIRED.get(operation, ()) if name not in found]
    return f"{missing[0]} is missing" if missing else ""


def _href(operation: object, ids: frozenset[str]) -> str:
    for element, _ in walk(operation):  # type: ignore[arg-type]
        if local_name(element) == "Content":
            href = element.get("href", "")
            if not href.startswith("cid:") or bare_id(href) not in ids:
                return f"Content refers to {href or 'nothing'}, which is not there"
    return ""
