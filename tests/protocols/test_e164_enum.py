import pytest

from opencpm.protocols.e164_enum import EnumError, Naptr, Serving, carrier_of, domain_of, serving

BOB = "+447700900123"


def record(uri, service="E2U+pstn:tel", flags="u", order=100, preference=10, regexp=None):
    return Naptr(order, preference, flags, service, regexp or f"!^.*$!{uri}!")


def test_the_name_of_a_number():
    assert domain_of(BOB) == "3.2.1.0.0.9.0.0.7.7.4.4.e164.arpa"
    assert domain_of("+1", "e164enum.net.") == "1.e164enum.net"


@pytest.mark.parametrize("number", ["", "+", "447700900123", "66777", "+44x", "+" + "1" * 16, "+٣"])
def test_no_name(number):
    with pytest.raises(EnumError):
        domain_of(number)


@pytest.mark.parametrize(
    ("uri", "carrier"),
    [
        ("tel:+447700900123;npdi;rn=+447699;spn=1234", "1234"),
        ("tel:+447700900123;npdi;rn=+447699", "+447699"),
        ("sip:+447700900123@ims.mnc033.mcc234.3gppnetwork.org;user=phone", "234033"),
        ("mailto:+447700900123@mms.mnc33.mcc234.gprs", "234033"),
        ("tel:+447700900123;mcc=234;mnc=33", "234033"),
        ("data:?mcc=310&mnc=260", "310260"),
        ("tel:+447700900123", ""),
        ("tel:+447700900123;npdi", ""),
        ("sip:bob@example.com", ""),
    ],
)
def test_carriers(uri, carrier):
    assert carrier_of(uri) == carrier


def test_the_first_record_of_a_wanted_service_that_tells():
    records = [
        record("tel:+44;spn=last", order=200),
        record("tel:+44;spn=second", preference=20),
        record("tel:+44;spn=first", preference=10, service="E2U+sms:tel+mms:tel"),
        record("sip:x;spn=unwanted", order=1, service="E2U+sip"),
        record("tel:+44;spn=not terminal", order=1, flags=""),
        record("tel:+44", order=2),  # tells nothing
    ]
    assert serving(BOB, records) == Serving("first", "tel:+44;spn=first")
    assert serving(BOB, records[3:]) is None
    assert serving(BOB, []) is None
    assert serving(BOB, [record("tel:+44;spn=old", service="pstn+E2U")]).carrier == "old"
    assert serving(BOB, [record("tel:+44;spn=x", service="pstn")]) is None


def test_the_number_in_the_uri():
    told = serving(BOB, [record("", regexp=r"!^\+44(.*)$!tel:+44\1;spn=7!")])
    assert told == Serving("7", f"tel:{BOB};spn=7")
    assert serving(BOB, [record("", regexp=r"/^\+44/tel:+44;spn=7/i")]).carrier == "7"


@pytest.mark.parametrize(
    "regexp",
    [
        "",
        "!",
        "!!!",
        "!^.*$!tel:;spn=7",
        "!^.*$!tel:;spn=7!!!",
        r"\^.*$\tel:;spn=7\x",
        "!(!tel:;spn=7!",
        r"!^.*$!tel:\1;spn=7!",
        "!^+33!tel:;spn=7!",
        "!(((+++)+)+)+x$!tel:;spn=7!",
        "!^(\\+?(4|44|7|77|0|00|9|90)+)+x$!tel:;spn=7!",
        "!" + "(" * 200 + "!x!",
        "!" + "a" * 300 + "!tel:;spn=7!",
    ],
)
def test_expressions_that_are_none_or_do_not_apply(regexp):
    assert serving(BOB, [record("", regexp=regexp)]) is None
