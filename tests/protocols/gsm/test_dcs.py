import pytest

from opencpm.protocols.gsm.dcs import Content, Scheme, scheme_of


@pytest.mark.parametrize(
    ("octet", "scheme"),
    [
        (0x00, Scheme(Content.GSM7)),
        (0x04, Scheme(Content.DATA)),
        (0x08, Scheme(Content.UCS2)),
        (0x0C, Scheme(Content.GSM7)),
        (0x10, Scheme(Content.GSM7, 0)),
        (0x18, Scheme(Content.UCS2, 0)),
        (0x20, Scheme(Content.COMPRESSED)),
        (0x7A, Scheme(Content.COMPRESSED, 2)),
        (0xA0, Scheme(Content.GSM7)),
        (0x48, Scheme(Content.UCS2)),
        (0x80, Scheme(Content.GSM7)),
        (0xC8, Scheme(Content.GSM7)),
        (0xE0, Scheme(Content.UCS2)),
        (0xF0, Scheme(Content.GSM7, 0)),
        (0xF5, Scheme(Content.DATA, 1)),
    ],
)
def test_schemes(octet, scheme):
    assert scheme_of(octet) == scheme
