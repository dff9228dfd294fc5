"""Conference information, built and read; the document of the fact sheet."""

import pytest

from opencpm.protocols.conference_info import ConferenceInfo, ConferenceInfoError, User, build, parse

SHEET = b"""<?xml version="1.0" encoding="UTF-8"?>
<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:grp-7f31@conf.cpm.test" state="full" version="1">
<conference-description><subject>Friday dinner</subject><maximum-user-count>100</maximum-user-count></conference-description>
<conference-state><user-count>2</user-count><active>true</active></conference-state>
<users>
<user entity="sip:alice@cpm.test" state="full" xmlns:y="urn:gsma:example" y:yourown="true"><endpoint entity="sip:alice@cpm.test"><status>connected</status></endpoint></user>
<user entity="sip:bob@cpm.test" state="full"><display-text>Bob</display-text><endpoint entity="sip:bob@cpm.test"><status>pending</status></endpoint></user>
<user entity="tel:+12025550102" state="full"><endpoint entity="tel:+12025550102"><status>disconnected</status><disconnection-method>failed</disconnection-method><disconnection-info><reason>SIP;cause=404;text="Not Found"</reason></disconnection-info></endpoint></user>
</users>
</conference-info>"""  # noqa: E501

INFO = ConferenceInfo(
    entity="sip:grp-7f31@conf.cpm.test",
    version=1,
    subject="Friday dinner",
    maximum=100,
    user_count=2,
    users=(
        User("sip:alice@cpm.test", "connected"),
        User("sip:bob@cpm.test", "pending", "Bob"),
        User("tel:+12025550102", "disconnected", "", "failed", 'SIP;cause=404;text="Not Found"'),
    ),
)


def test_the_document_of_the_sheet() -> None:
    assert parse(SHEET) == INFO


def test_what_is_built_is_read() -> None:
    whole = INFO._replace(
        subject='"A" & <B>', users=(*INFO.users, User("sip:c@cpm.test", "connected", roles=("chair",)))
    )
    assert parse(build(whole)) == whole
    assert parse(build(ConferenceInfo("sip:x@y", 7, active=False))) == ConferenceInfo("sip:x@y", 7, active=False)


@pytest.mark.parametrize(
    "body", [b"", b"<a/>", b"<conference-info", b'<!DOCTYPE a [<!ENTITY b "c">]><conference-info/>', b"x" * 300_000]
)
def test_what_is_none(body: bytes) -> None:
    with pytest.raises(ConferenceInfoError):
        parse(body)


def test_users_are_bounded() -> None:
    many = ConferenceInfo("sip:x@y", 1, tuple(User(f"sip:{n}@y", "connected") for n in range(2001)))
    with pytest.raises(ConferenceInfoError):
        parse(build(many))
