import pytest

from opencpm.protocols.smpp.times import TimeError, absolute, parse, relative


def test_relative():
    assert relative(2 * 86400 + 3 * 3600) == "000002030000000R"
    assert relative(0.2) == "000000000001000R"
    assert relative(1e9) == "000099000000000R"
    assert parse("000002030000000R", 100.0) == 100.0 + 2 * 86400 + 3 * 3600


def test_absolute():
    assert absolute(1795419015.5) == "261123073015500+"
    assert parse("261123073015500+", 0.0) == 1795419015.5
    assert parse("261123083015504+", 0.0) == 1795419015.5
    assert parse("261123023015520-", 0.0) == 1795419015.5


@pytest.mark.parametrize("text", ["", "0", "261323073015500+", "26112307301550X", "٢61123073015500+"])
def test_what_is_no_time(text):
    with pytest.raises(TimeError):
        parse(text, 0.0)
