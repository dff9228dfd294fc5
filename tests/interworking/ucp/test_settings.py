import pytest

from opencpm.domain.report import Status
from opencpm.interworking.ucp.profile import profile_of
from opencpm.interworking.ucp.settings import UcpSettings, read


def test_all_has_a_default_and_a_meaning():
    settings = read({})
    assert settings.zone.key == "UTC"
    assert all(field.description for name, field in UcpSettings.model_fields.items() if name != "type")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"windows": 3}, "windows"),
        ({"window": 100}, "window"),
        ({"timezone": "Mars/Olympus"}, "Europe/Berlin"),
        ({"timezone": "../etc/passwd"}, "Europe/Berlin"),
        ({"source": "twelve chars"}, "at most 11 letters"),
        ({"account": "a/b"}, "account"),
        ({"authentication_code": "a/b"}, "authentication_code"),
        ({"oton": "x"}, "oton"),
    ],
)
def test_mistakes_are_named(values, said):
    with pytest.raises(ValueError, match=said):
        read(values)


def test_the_password_is_not_shown():
    assert "sesame" not in repr(read({"password": "sesame"}))


@pytest.mark.parametrize(
    ("values", "reports"),
    [
        ({}, {Status.ACCEPTED, Status.FAILED, Status.DELIVERED}),
        ({"buffered": True}, {Status.ACCEPTED, Status.FAILED, Status.DELIVERED, Status.PENDING}),
        ({"receipts": "never"}, {Status.ACCEPTED, Status.FAILED}),
    ],
)
def test_the_profile_promises_what_the_centre_tells(values, reports):
    profile = profile_of(read(values))
    assert profile.reports == reports
    assert profile.kind == "sms"
    assert profile.stores
