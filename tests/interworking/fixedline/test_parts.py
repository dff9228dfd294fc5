"""Settings, numbers, reasons and composition, without a wire."""

import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.interworking.fixedline import build, outgoing, reasons
from opencpm.interworking.fixedline.lines import Protocols, called_us, is_centre, to_dial, without_subaddress
from opencpm.interworking.fixedline.profile import profile_of
from opencpm.interworking.fixedline.settings import read
from opencpm.protocols.fsk.events import End
from opencpm.protocols.fsk.frames2 import read_text
from opencpm.protocols.gsm.tpdu.messages import read_from_centre, read_from_terminal
from opencpm.protocols.telephone.caller import same_number
from tests.interworking.fixedline.support import ALICE, BOB, CENTRE, FOREIGN, LINE, State, context, delivery

SCHEDULE = (10.0, 20.0)


def settings(**values):
    return read({"type": "fixedline", "number": CENTRE, **values})


def terminal(**values):
    return settings(number=LINE, role="terminal", centre=FOREIGN, **values)


# -- settings


def test_one_trunk_may_stand_in_the_section_itself():
    (trunk,) = settings(host="127.0.0.2", port=5099).trunks
    assert (trunk.host, trunk.port, trunk.role, trunk.number) == ("127.0.0.2", 5099, "centre", CENTRE)
    both = read({"trunks": [{"number": CENTRE}, {"role": "terminal", "number": LINE, "centre": FOREIGN}]})
    assert [each.role for each in both.trunks] == ["centre", "terminal"]


@pytest.mark.parametrize(
    "values",
    [
        {"number": ""},
        {"number": "x"},
        {"number": CENTRE, "role": "terminal"},
        {"number": CENTRE, "rtp_ports": [9000, 8000]},
        {"number": CENTRE, "protocol": "3"},
        {"number": CENTRE, "nonsense": 1},
    ],
)
def test_mistakes_are_told(values):
    with pytest.raises(ValueError, match=r"\w+"):
        build(values, context())


def test_the_level_is_an_amplitude():
    assert settings(level=-13).trunks[0].terms.amplitude == pytest.approx(5110, rel=0.01)


def test_profiles():
    centre, foreign = profile_of(settings()), profile_of(terminal())
    assert centre.number_types == frozenset({"fixed"})
    assert centre.reports == {Status.FAILED, Status.DELIVERED}
    assert centre.told == {Status.DELIVERED, Status.FAILED}
    assert not centre.stores
    assert foreign.stores
    assert not foreign.told
    assert Status.ACCEPTED in foreign.reports
    assert Status.DELIVERED not in profile_of(terminal(receipts="never")).reports


# -- numbers


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+442079460000", "00442079460000", True),
        ("+442079460000", "02079460000", True),
        ("442079460000", "2079460000", True),
        ("+442079460000", "+442079460001", False),
        ("", "+442079460000", False),
        ("+44207", "207", False),
    ],
)
def test_one_number_in_several_spellings(one, other, same):
    assert same_number(one, other) is same


def test_what_is_dialled_and_from_which_number():
    (trunk,) = settings().trunks
    assert to_dial(BOB.value, trunk, "+") == (BOB.value, CENTRE[1:])
    assert to_dial(BOB.value, trunk, "00") == ("00" + BOB.value[1:], CENTRE[1:])
    (digits,) = settings(subaddresses=True, default_digit="9").trunks
    assert to_dial(BOB.value, digits, "+") == (BOB.value, CENTRE[1:] + "9")
    assert to_dial(BOB.value + "4", digits, "+") == (BOB.value, CENTRE[1:] + "4")
    (ours,) = terminal().trunks
    assert to_dial(BOB.value, ours, "+") == (FOREIGN, LINE[1:])


def test_a_sub_address_is_one_digit_too_many():
    assert without_subaddress("+120255501553") == "+12025550155"
    assert without_subaddress("+12025550155") == "+12025550155"
    assert without_subaddress("12345") == "12345"


def test_who_calls_whom():
    (centre,), (ours,) = settings().trunks, terminal(centre_calls=["+12025550188"]).trunks
    assert called_us(centre, CENTRE) == (True, "")
    assert called_us(centre, CENTRE[1:] + "3") == (True, "3")
    assert called_us(centre, BOB.value) == (False, "")
    assert called_us(ours, LINE + "3") == (False, "")
    assert is_centre(ours, "0012025550188")
    assert is_centre(ours, "12025550188" + "4")
    assert not is_centre(ours, "+12025550187")


def test_protocols_are_remembered():
    store = State()
    known = Protocols(store, "room")
    trunk = settings().trunks[0]
    assert known.allowed(trunk, BOB.value) == (1, 2)
    known.learn(BOB.value, 2)
    assert Protocols(store, "room").allowed(trunk, "00" + BOB.value[1:]) == (2, 1)
    assert known.allowed(settings(protocol="1").trunks[0], BOB.value) == (1,)


# -- composition


def forms(attempt, values):
    return outgoing.compose(attempt, values.trunks[0], values, time.time())


def test_as_centre_both_protocols_say_the_same():
    (form,) = forms(delivery("Grüße"), settings())
    assert read_from_centre(form[1]).originator.text == ALICE.value[1:]
    assert read_text(form[2]).text == "Grüße"
    assert read_text(form[2]).line == ALICE.value[1:]


def test_every_attempt_says_the_same_octets():
    attempt = delivery("x" * 400)
    values = settings(max_segments=5)
    assert forms(attempt, values) == forms(attempt, values)


def test_as_terminal_segments_count_their_references():
    submits = [read_from_terminal(form[1]) for form in forms(delivery("x" * 400), terminal(max_segments=5))]
    first = submits[0].reference
    assert [submit.reference for submit in submits] == [(first + n) & 0xFF for n in range(3)]
    names = outgoing.references(delivery("x" * 400), LINE, 3)
    assert [name.key for name in names] == [
        outgoing.report_key(LINE[1:], submit.reference, BOB.value) for submit in submits
    ]


def test_what_is_asked_of_the_foreign_centre():
    (form,) = forms(delivery(), terminal(receipts="asked"))
    assert not read_from_terminal(form[1]).report
    (form,) = forms(delivery(expires_at=time.time() + 10**7), terminal())
    assert read_from_terminal(form[1]).validity == 48 * 3600


def test_protocol_2_has_no_greek_and_no_unicode_setting_none_at_all():
    (form,) = forms(delivery("Γ"), settings())
    assert list(form) == [1]
    (form,) = forms(delivery("漢"), settings())
    assert list(form) == [1]
    with pytest.raises(SendError) as error:
        forms(delivery("漢"), settings(unicode=False))
    assert error.value.reason is Reason.UNSUPPORTED_MEDIA


def test_the_sender_is_a_number():
    assert outgoing.sender_of(delivery(), settings(source="+12025550111")) == "+12025550111"
    nameless = delivery(source=Address("sip", "alice@cpm.test"))
    assert outgoing.sender_of(nameless, settings(fallback_source="+12025550112")) == "+12025550112"
    with pytest.raises(SendError):
        outgoing.sender_of(nameless, settings())


def test_a_message_name_keeps_the_reference():
    assert outgoing.reference_in(outgoing.message_name("abc", 0x0A)) == 0x0A
    assert outgoing.reference_in(outgoing.message_name("abc", None)) is None
    assert outgoing.reference_in("abc-mrzz") is None


# -- reasons


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (0, Reason.NETWORK_DOWN, True),
        (401, Reason.AUTHENTICATION, False),
        (403, Reason.BARRED, False),
        (404, Reason.UNKNOWN_ADDRESS, False),
        (408, Reason.NO_ANSWER, True),
        (480, Reason.NO_ANSWER, True),
        (486, Reason.BUSY, True),
        (488, Reason.NOT_ACCEPTABLE, False),
        (499, Reason.REJECTED, False),
        (503, Reason.CONGESTION, True),
        (603, Reason.DECLINED, True),
    ],
)
def test_calls_that_are_not_answered(status, reason, retryable):
    error = reasons.call_refused(status, "said", SCHEDULE, 1)
    assert (error.reason, error.retryable) == (reason, retryable)


def test_busy_lines_are_called_again_on_the_schedule():
    assert [reasons.call_refused(486, "", SCHEDULE, n).retry_after for n in (1, 2, 3)] == [10.0, 20.0, 20.0]


@pytest.mark.parametrize(
    ("end", "heard", "known", "reason", "retryable"),
    [
        (End.NO_TERMINAL, "a voice or music", False, Reason.UNDELIVERABLE, False),
        (End.NO_TERMINAL, "a voice or music", True, Reason.NO_ANSWER, True),
        (End.NO_TERMINAL, "silence", False, Reason.UNDELIVERABLE, False),
        (End.ENDLESS, "the other end's carrier did not end", False, Reason.UNDELIVERABLE, False),
        (End.HUNG_UP, "silence", False, Reason.UNDELIVERABLE, False),
        (End.HUNG_UP, "", True, Reason.UNREACHABLE, True),
        (End.OTHER_PROTOCOL, "the line speaks protocol 2", False, Reason.NOT_ACCEPTABLE, False),
        (End.TOO_LONG, "", False, Reason.UNREACHABLE, True),
        (End.GARBLED, "", True, Reason.UNREACHABLE, True),
    ],
)
def test_calls_that_end_before_the_message_is_sent(end, heard, known, reason, retryable):
    error = reasons.call_ended(end, heard, known, SCHEDULE, 1)
    assert (error.reason, error.retryable) == (reason, retryable)


def test_refusals():
    assert reasons.refused(0xD3, 1, SCHEDULE, 1).retryable
    assert reasons.refused(0xC3, 1, SCHEDULE, 1).reason is Reason.UNKNOWN_ADDRESS
    assert not reasons.refused(0xC4, 1, SCHEDULE, 1).retryable
    assert reasons.refused(1, 2, SCHEDULE, 1).reason is Reason.REJECTED
    congested = SendError(Reason.CONGESTION, retryable=True)
    assert [reasons.cause_of(congested, centre) for centre in (True, False)] == [0xC0, 0xD3]
    assert reasons.cause_of(SendError(Reason.NO_ROUTE), True) == 0xC3
    assert reasons.cause_of(SendError(Reason.NO_ROUTE), False) == 0xD2
