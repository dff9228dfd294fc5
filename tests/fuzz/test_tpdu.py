from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.gsm.tpdu import times
from opencpm.protocols.gsm.tpdu.address import TpAddress
from opencpm.protocols.gsm.tpdu.content import UserData, text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, Submit, read_from_centre, read_from_terminal

octets = st.binary(max_size=180)
numbers = st.text("0123456789", min_size=1, max_size=20).map(TpAddress)
septets = st.lists(st.integers(0, 127), max_size=160).map(bytes)


@given(octets)
def test_reading_raises_only_its_error(tpdu):
    for read in (read_from_terminal, read_from_centre):
        try:
            message = read(tpdu)
        except TpduError:
            pass
        else:
            if hasattr(message, "data"):
                text_of(message.dcs, [message.data.content])


@given(st.integers(0, 255), numbers, septets, st.booleans())
def test_a_submit_comes_back(reference, destination, content, report):
    submit = Submit(reference=reference, destination=destination, data=UserData(content), report=report)
    assert read_from_terminal(submit.encode()) == submit


@given(numbers, st.binary(max_size=140), st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_a_deliver_comes_back(originator, content, when):
    stamp = when.replace(microsecond=0, tzinfo=UTC)
    deliver = Deliver(originator=originator, stamp=stamp, dcs=8, data=UserData(content))
    assert read_from_centre(deliver.encode()) == deliver


@given(st.floats(0, 1e8))
def test_a_validity_is_never_shorter_than_asked(seconds):
    assert times.read_relative(times.relative(seconds)) >= min(seconds, 63 * 604800)
