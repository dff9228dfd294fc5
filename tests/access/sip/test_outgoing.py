"""The MESSAGE of a delivery, without a wire."""

from dataclasses import replace

import pytest

from opencpm.access.sip.outgoing import body_for
from opencpm.access.sip.pager import delivery_of, mark_of
from opencpm.domain.message import message_ident
from opencpm.protocols import cpim
from tests.access.sip.rig import ALICE, delivery


class CpmDevice:
    cpim = True
    imdn = False


@pytest.mark.parametrize("cseq", [1, 7])
def test_a_notification_about_a_text_without_a_message_id_leads_back_to_its_delivery(cseq):
    """The Call-ID alone would not: it stands for several messages of a sender who uses it again."""
    one = delivery()
    plain = replace(one.message, id=message_ident(ALICE, f"call-1\n{cseq}"), message_id="call-1")
    body = body_for(replace(one, message=plain), CpmDevice())
    assert delivery_of(cpim.parse(body.content).message_id) == (one.id, mark_of(one.target))


def test_the_senders_message_id_is_kept():
    one = delivery()
    named = replace(one.message, id=message_ident(ALICE, "m1"), message_id="m1")
    assert cpim.parse(body_for(replace(one, message=named), CpmDevice()).content).message_id == "m1"
