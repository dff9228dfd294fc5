"""Records of anybody's name server, and the operator's table."""

from hypothesis import given
from hypothesis import strategies as st

from opencpm.numbering.table import Table, parse
from opencpm.protocols.e164_enum import EnumError, Naptr, carrier_of, domain_of, serving

texts = st.text(max_size=300)
expressions = st.one_of(texts, st.from_regex(r"\A![^!]{0,40}![^!]{0,40}!i?\Z"))
records = st.builds(Naptr, st.integers(0, 65535), st.integers(0, 65535), st.sampled_from(["u", "U", "", "s"]),
                    st.one_of(st.just("E2U+pstn:tel"), texts), expressions)  # fmt: skip


@given(st.one_of(texts, st.from_regex(r"\A\+[0-9]{1,15}\Z")))
def test_names(number):
    try:
        assert domain_of(number).endswith(".e164.arpa")
    except EnumError:
        pass


@given(st.lists(records, max_size=40))
def test_records(found):
    told = serving("+447700900123", found)
    assert told is None or told.carrier == carrier_of(told.uri)


@given(st.lists(st.text(max_size=400), max_size=20), texts)
def test_tables(lines, number):
    Table(parse(lines)).facts(number)
