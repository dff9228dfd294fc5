import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import (
    accept_contact,
    feature_parameter,
    features_of,
    matches,
    parse_accept_contact,
    score,
    services_of,
)
from opencpm.protocols.sip.headers import parse_name_addr

URN = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm."


def device(*services: str, extra: str = ""):
    value = f'<sip:a@b>;+g.3gpp.icsi-ref="{",".join(URN + s for s in services)}"{extra}'
    return features_of(parse_name_addr(value).parameters)


def test_services_come_from_comma_lists_and_repeated_parameters_decoded():
    value = f'<sip:a@b>;+g.3gpp.icsi-ref="{URN}msg, {URN.upper()}SESSION";+g.3gpp.icsi-ref="{URN}largemsg"'
    assert services_of(features_of(parse_name_addr(value).parameters)) == {"msg", "session", "largemsg"}


def test_the_instance_is_no_feature_and_unknown_plus_tags_are():
    features = features_of({"+sip.instance": "<urn:uuid:1>", "+g.oma.sip-im": "", "audio": "", "q": "1"})
    assert set(features) == {"+g.oma.sip-im", "audio"}


def test_session_does_not_match_session_group_by_prefix():
    wanted = parse_accept_contact(accept_contact("session"))
    assert matches(wanted, device("session"))
    assert not matches(wanted, device("session.group"))
    assert not matches(parse_accept_contact(accept_contact("session.group")), device("session"))


@pytest.mark.parametrize(
    ("tail", "listing", "other", "nothing"),
    [
        (";require;explicit", True, False, False),
        (";explicit;require", True, False, False),
        (";require", True, False, True),
        ("", True, True, True),
    ],
)
def test_require_excludes_and_explicit_wants_it_said(tail, listing, other, nothing):
    wanted = parse_accept_contact(f'*;+g.3gpp.icsi-ref="{URN}msg"{tail}')
    assert matches(wanted, device("msg", "session")) is listing
    assert matches(wanted, device("session")) is other
    assert matches(wanted, {}) is nothing


def test_score_ranks():
    wanted = [parse_accept_contact(accept_contact("msg", require=False)), parse_accept_contact("*;+g.x")]
    assert score(wanted, device("msg", extra=";+g.x")) == 1
    assert score(wanted, device("msg")) == 0.5
    assert score(wanted, {}) == 0


def test_bad_accept_contact_raises():
    with pytest.raises(SipError):
        parse_accept_contact("<sip:a@b>;audio")


def test_urns_are_written_percent_encoded():
    value = feature_parameter("+g.3gpp.icsi-ref", ["urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg"])
    assert value == f'+g.3gpp.icsi-ref="{URN}msg"'
    assert feature_parameter("+g.oma.sip-im", []) == "+g.oma.sip-im"
