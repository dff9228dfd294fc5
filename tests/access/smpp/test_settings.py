import pytest

from opencpm.settings import SettingsError, parse
from opencpm.settings.smpp import SmppSettings

BASE = {"domain": "cpm.test", "secret_key": "k" * 40}


def smpp(**values):
    return SmppSettings.model_validate(values)


def test_off_by_default():
    assert not parse(BASE).smpp.enabled


def test_an_account_differs_in_what_it_says():
    settings = smpp(terms={"window": 3, "rate": 50}, accounts={"shop": {"rate": 5}})
    shop, other = settings.terms_of("shop"), settings.terms_of("other")
    assert (shop.window, shop.rate) == (3, 5)
    assert (other.window, other.rate) == (3, 50)


def test_only_those_listed():
    settings = smpp(only_listed=True, accounts={"shop": {}})
    assert settings.terms_of("shop") == settings.terms
    assert settings.terms_of("other") is None


def test_tls_needs_a_certificate(tmp_path):
    with pytest.raises(SettingsError, match="tls_certificate"):
        parse({**BASE, "smpp": {"listeners": [{"tls": True}]}})
    files = {"tls_certificate": "c.pem", "tls_key": "k.pem"}
    settings = parse({**BASE, "smpp": {"listeners": [{"tls": True}], **files}}, tmp_path)
    assert settings.smpp.tls_key == str(tmp_path / "k.pem")


def test_no_network_has_the_name_of_the_access():
    with pytest.raises(SettingsError, match="name of an access"):
        parse({**BASE, "networks": {"smpp": {"type": "sms"}}})


def test_a_typing_mistake_is_named():
    with pytest.raises(SettingsError, match=r"smpp\.terms\.windw.*window"):
        parse({**BASE, "smpp": {"terms": {"windw": 1}}})
    with pytest.raises(SettingsError, match=r"smpp\.accounts\.shop\.windw"):
        parse({**BASE, "smpp": {"accounts": {"shop": {"windw": 1}}}})
