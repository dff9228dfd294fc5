import pytest
from pydantic import ValidationError

from opencpm.access.sip import build
from opencpm.access.sip.settings import SipSettings


def test_tls_needs_a_certificate():
    with pytest.raises(ValidationError, match="certificate"):
        SipSettings(listen=({"transport": "tls"},))


def test_what_is_unknown_is_refused_with_its_name():
    with pytest.raises(ValueError, match="speed"):
        build({"speed": 9}, None)


def test_every_setting_is_described():
    assert all(field.description for field in SipSettings.model_fields.values())
