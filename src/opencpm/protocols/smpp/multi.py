"""submit_multi in the form of the other short messages (SMPP 3.4 §4.5)."""

from __future__ import annotations

from typing import cast

from .pdu import Address, Pdu
from .short_message import ShortMessage

LIST = "list:"
"""Begins the name of a distribution list among the destinations."""


def from_submit_multi(pdu: Pdu) -> tuple[ShortMessage, tuple[Address, ...]]:
    """The message of a decoded submit_multi, without a destination, and its destinations."""
    body = pdu.body
    numbers = {name: value for name, value in body.items() if isinstance(value, int)}
    message = ShortMessage(
        source=str(body["source_addr"]),
        message=cast(bytes, body["short_message"]),
        source_ton=numbers["source_addr_ton"],
        source_npi=numbers["source_addr_npi"],
        esm_class=numbers["esm_class"],
        registered_delivery=numbers["registered_delivery"],
        data_coding=numbers["data_coding"],
        validity=str(body["validity_period"]),
        tlvs=pdu.tlvs,
        service_type=str(body["service_type"]),
        protocol_id=numbers["protocol_id"],
        priority=numbers["priority_flag"],
        schedule=str(body["schedule_delivery_time"]),
        replace_if_present=numbers["replace_if_present_flag"],
        default_message_id=numbers["sm_default_msg_id"],
    )
    return message, cast("tuple[Address, ...]", body["dest_addresses"])
