import pytest

from opencpm.interworking.sms.settings import read


def test_one_link_may_stand_in_the_section():
    settings = read({"type": "sms", "host": "127.0.0.1", "port": 2776, "system_id": "cpm", "password": "secret"})
    assert len(settings.links) == 1
    assert (settings.links[0].port, settings.links[0].system_id) == (2776, "cpm")


def test_several_links():
    settings = read({"type": "sms", "links": [{"port": 1}, {"port": 2, "bind": "receiver"}]})
    assert [link.port for link in settings.links] == [1, 2]


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"type": "sms", "prot": 1}, "prot"),
        ({"type": "sms", "port": 99999}, "port"),
        ({"type": "sms", "password": "much too long"}, "password"),
        ({"type": "sms", "links": []}, "links"),
        ({"type": "sms", "source": "a name that is too long"}, "source"),
        ({"type": "mms"}, "type"),
    ],
)
def test_mistakes_are_named(section, named):
    with pytest.raises(ValueError, match=named):
        read(section)


def test_a_wrong_password_is_not_repeated_in_the_error():
    with pytest.raises(ValueError) as caught:
        read({"type": "sms", "password": "much too long"})
    assert "much too long" not in str(caught.value)


def test_every_setting_is_explained():
    settings = read({"type": "sms"})
    for model in (type(settings), type(settings.links[0])):
        for name, field in model.model_fields.items():
            assert field.description or name == "type"
