import pytest

from opencpm.protocols.msnp.passport import PassportLogin, Refusal, Ticket
from opencpm.protocols.msnp.soap import HttpReply, HttpRequest

NEXUS = "https://nexus.test/rdr/pprdr.asp"
OK = {"Authentication-Info": "Passport1.4 da-status=success,from-PP='t=1&p=2'"}


def login(**options: str) -> PassportLogin:
    return PassportLogin("alice@example.com", "secret", "ct=1", NEXUS, **options)


def test_nexus_then_login() -> None:
    passport = login()
    assert passport.request() == HttpRequest(NEXUS, {})
    passport.response(HttpReply(200, {"PASSPORTURLS": "DALogin=login.test/go"}))
    url, headers, _, method = passport.request()
    assert method == "GET"
    assert url == "https://login.test/go"
    assert headers["Authorization"].endswith("sign-in=alice%40example.com,pwd=secret,ct=1")
    passport.response(HttpReply(200, OK))
    assert passport.result == Ticket("t=1&p=2", "https://login.test/go")


def test_redirect_keeps_the_header_and_the_known_address() -> None:
    passport = login(login_url="https://login.test/go")
    passport.response(HttpReply(302, {"Location": "https://other.test/go"}))
    assert passport.request().url == "https://other.test/go"
    assert "Authorization" in passport.request().headers
    passport.response(HttpReply(200, OK))
    assert passport.result == Ticket("t=1&p=2", "https://login.test/go")


@pytest.mark.parametrize("location", ["", "http://plain.test/", "ftp://x"])
def test_bad_redirect(location: str) -> None:
    passport = login(login_url="https://login.test/go")
    passport.response(HttpReply(302, {"Location": location}))
    assert isinstance(passport.result, Refusal)
    assert not passport.result.credentials


def test_endless_redirects() -> None:
    passport = login(login_url="https://login.test/go")
    for _ in range(4):
        passport.response(HttpReply(302, {"Location": "https://login.test/go"}))
    assert isinstance(passport.result, Refusal)


@pytest.mark.parametrize(
    ("status", "headers", "credentials"),
    [
        (401, {"WWW-Authenticate": "Passport1.4 da-status=failed"}, True),
        (200, {"Authentication-Info": "Passport1.4 da-status=failed"}, True),
        (503, {}, False),
        (200, {}, False),
    ],
)
def test_refused(status: int, headers: dict[str, str], credentials: bool) -> None:
    passport = login(login_url="https://login.test/go")
    passport.response(HttpReply(status, headers))
    assert isinstance(passport.result, Refusal)
    assert passport.result.credentials is credentials


def test_nexus_down() -> None:
    passport = login()
    passport.response(HttpReply(500, {}))
    assert passport.result == Refusal(False, "the nexus answered 500")
