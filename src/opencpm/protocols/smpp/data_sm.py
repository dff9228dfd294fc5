"""data_sm in the form of the other short messages (SMPP 3.4 §4.7)."""

from __future__ import annotations

from .pdu import Pdu
from .short_message import ShortMessage


def from_data_sm(pdu: Pdu) -> ShortMessage:
    """The message of a decoded data_sm; its text stays in message_payload (§4.7.1)."""
    numbers = {name: value for name, value in pdu.body.items() if isinstance(value, int)}
    return ShortMessage(
        source=str(pdu.body["source_addr"]),
        destination=str(pdu.body["destination_addr"]),
        source_ton=numbers["source_addr_ton"],
        source_npi=numbers["source_addr_npi"],
        destination_ton=numbers["dest_addr_ton"],
        destination_npi=numbers["dest_addr_npi"],
        esm_class=numbers["esm_class"],
        registered_delivery=numbers["registered_delivery"],
        data_coding=numbers["data_coding"],
        tlvs=pdu.tlvs,
        service_type=str(pdu.body["service_type"]),
    )
