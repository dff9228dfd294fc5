import pytest

from opencpm.protocols.msnp import tweener
from opencpm.protocols.msnp.errors import MsnpError


def test_login_address_without_scheme() -> None:
    header = "DARREALM=Passport.Net,DALogin=login.live.com/login2.srf,DAReg=http://x/"
    assert tweener.parse_passport_urls(header) == "https://login.live.com/login2.srf"
    with pytest.raises(MsnpError):
        tweener.parse_passport_urls("DARREALM=Passport.Net")


def test_password_with_every_trap() -> None:
    header = tweener.authorization("a+b@example.com", "p,w=d %é'", "ct=1,id=1")
    assert tweener.parse_authorization(header) == ("a+b@example.com", "p,w=d %é'")


def test_ticket() -> None:
    header = "Passport1.4 da-status=success,tname=MSPAuth,from-PP='t=abc&p=def',ru=http://x"
    assert tweener.parse_authentication_info(header) == "t=abc&p=def"
    assert tweener.parse_authentication_info(tweener.authentication_info("0a0c")) == "0a0c"


@pytest.mark.parametrize("header", ["", "Passport1.4 da-status=failed", "Passport1.4 da-status=failed,from-PP='x'"])
def test_no_ticket(header: str) -> None:
    with pytest.raises(MsnpError):
        tweener.parse_authentication_info(header)


def test_parameters_cannot_add_a_header() -> None:
    with pytest.raises(MsnpError):
        tweener.authorization("a@b.c", "x", "ct=1\r\nX: y")
    with pytest.raises(MsnpError):
        tweener.parse_authorization("Basic abc")
    with pytest.raises(MsnpError):
        tweener.parse_authorization("Passport1.4 OrgVerb=GET")
