"""What phones, peers and relays bring, as values of messaging: only SendError is raised."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.domain.errors import SendError
from opencpm.domain.numbering import NumberPlan
from opencpm.interworking.mms.addresses import neutral
from opencpm.interworking.mms.mm1 import pdus
from opencpm.interworking.mms.mm3 import adapt as mm3
from opencpm.protocols.mime import Part
from opencpm.protocols.mm1 import Mm1Error, decode
from opencpm.protocols.mm4.address import parse_address
from tests.fuzz.test_mail import damaged

SEND = (Path(__file__).parents[1] / "fixtures" / "mms" / "mm1-send-req.bin").read_bytes()
PLAN = NumberPlan("44")


@given(st.one_of(damaged(SEND), st.binary(max_size=400)))
@settings(max_examples=300)
def test_a_message_of_a_phone(data: bytes) -> None:
    try:
        pdu = decode(data)
    except Mm1Error:
        return
    pdus.receivers(pdu, PLAN)
    try:
        parts = pdus.content(pdu)
    except SendError:
        return
    assert parts


@given(st.text(max_size=80))
def test_addresses(text: str) -> None:
    found = neutral(parse_address(text), PLAN)
    assert found is None or found.scheme in ("tel", "mailto", "alpha")


@given(st.binary(max_size=600), st.sampled_from(["text/plain", "text/html", "multipart/mixed; boundary=x", ""]))
def test_a_mail(body: bytes, content_type: str) -> None:
    try:
        parts = mm3.received(Part((("Content-Type", content_type),), body), "subject")
    except SendError:
        return
    assert parts
