from __future__ import annotations

import pytest

from opencpm.protocols.mm1.fields import FORMS, Field, Form
from opencpm.protocols.mm1.values import decode_value


@pytest.mark.parametrize("field", [field for field in Field if field is not Field.CONTENT_TYPE])
@pytest.mark.parametrize("raw", [b"\0", b"\x01\x41", b"\x03\x80\x01\x05", b"a\0", b"\x05\x81\x80abc", b"\x02\x80\x1f"])
def test_a_value_of_another_form_is_kept_as_octets(field, raw):
    value = decode_value(field, raw)
    assert value is not None
    if FORMS.get(field, Form.OPAQUE) in (Form.OCTET, Form.OPAQUE):
        assert value == raw
