"""Mistakes in the settings are told in words."""

import pytest

from opencpm.interworking.xmpp.settings import read

GOOD = {"component": "CPM.XMPP.test", "secret": "s"}


def test_domains_are_canonical_and_the_secret_is_not_shown():
    settings = read({**GOOD, "users_domain": "CPM.test"})
    assert (settings.component, settings.users_domain) == ("cpm.xmpp.test", "cpm.test")
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"component": ""}, "the domain of the component is missing"),
        ({"component": "alice@cpm.xmpp.test"}, "is no domain"),
        ({"component": "a b"}, "is no domain"),
        ({"users_domain": "x/y"}, "is no domain"),
        ({"secret": ""}, "secret"),
        ({"port": 0}, "port"),
        ({"sessions": "always"}, "sessions"),
        ({"tls": True}, "tls"),
    ],
)
def test_mistakes(wrong, told):
    with pytest.raises(ValueError) as error:
        read({**GOOD, **wrong})
    assert told in str(error.value)


def test_what_is_needed():
    with pytest.raises(ValueError, match=r"component.*secret"):
        read({})
