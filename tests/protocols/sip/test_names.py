import pytest

from opencpm.protocols.sip.names import header_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Via", "via"), ("v", "via"), ("V", "via"), ("cALL-iD", "call-id"), ("i", "call-id"), ("a", "accept-contact"),
        ("l", "content-length"), ("InReplyTo-Contribution-ID", "inreplyto-contribution-id"), ("X-New", "x-new"),
        (" t ", "to"), ("", ""),
    ],
)  # fmt: skip
def test_every_spelling_has_one_key(name, key):
    assert header_key(name) == key
