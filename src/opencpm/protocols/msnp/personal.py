"""The payload of UUX and UBX: the personal message that stands beside a name."""

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import XmlError, escape, local_name, parse_xml, walk

MAX_MESSAGE = 512  # characters shown to us at most; clients allow 129
_MAX_PAYLOAD = 65536


def build(message: str, machine: str = "") -> bytes:
    """What UUX carries; `machine` (`{GUID}`) names this place where there may be several."""
    place = f"<MachineGuid>{escape(machine)}</MachineGuid>" if machine else ""
    text = f"<Data><PSM>{escape(message)}</PSM><CurrentMedia></CurrentMedia>{place}</Data>"
    return text.encode("utf-8", "replace")


def parse(payload: bytes) -> str:
    """The personal message of a UBX, empty for an empty payload. Raises MsnpError."""
    if not payload.strip():
        return ""
    try:
        root = parse_xml(payload, limit=_MAX_PAYLOAD)
    except XmlError as error:
        raise MsnpError(f"personal message: {error}") from None
    found = next((element for element, _ in walk(root) if local_name(element) == "PSM"), None)
    return (found.text or "").strip()[:MAX_MESSAGE] if found is not None else ""
