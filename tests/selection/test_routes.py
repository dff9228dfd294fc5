from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.number import NO_FACTS, NumberFacts
from opencpm.domain.policy import Policy, Route
from opencpm.selection import numbers
from opencpm.selection.routes import operator


def route(prefix: str, *networks: str, kind: str = "", known: str = "") -> Route:
    return Route(prefix=prefix, networks=networks, number_type=kind, is_type=known)


def match(number: str, *routes: Route, facts: NumberFacts = NO_FACTS) -> tuple[str, tuple[str, ...]] | None:
    found = operator(Policy(routes=routes)).match(number, facts)
    return None if found is None else (found.label, found.networks)


UK_MOBILE, UK_FIXED = "+447400123456", "+442079460000"


@pytest.mark.parametrize(
    ("number", "routes", "networks"),
    [
        (UK_MOBILE, (), None),
        (UK_MOBILE, (route("+33", "a"),), None),
        (UK_MOBILE, (route("", "all"), route("+44", "uk")), ("uk",)),
        (UK_MOBILE, (route("+44", "uk"), route("+447400", "range"), route("", "all")), ("range",)),
        (UK_MOBILE, (route("+44", "both"), route("+44", "mobile", kind="mobile")), ("mobile",)),
        (UK_FIXED, (route("+44", "both"), route("+44", "mobile", kind="mobile")), ("both",)),
        (UK_FIXED, (route("+44", "mobile", kind="mobile"), route("", "all")), ("all",)),
        (UK_FIXED, (route("+44", "mobile", kind="mobile"),), None),
        (UK_FIXED, (route("+4420", "sms", known="mobile"), route("", "m", kind="mobile")), ("sms",)),
        ("+44", (route("+447400", "range"),), None),
        ("66777", (route("", "all"),), ("all",)),
    ],
)
def test_the_longest_prefix_wins_then_the_type(
    number: str, routes: tuple[Route, ...], networks: tuple[str, ...] | None
) -> None:
    found = match(number, *routes)
    assert (None if found is None else found[1]) == networks


def test_the_operators_word_on_a_range_goes_over_the_numbering_plans() -> None:
    routes = (route("+4420", "sms", known="mobile"), route("+4420", "m", kind="mobile"))
    assert match(UK_FIXED, *routes) == ("+4420 mobile", ("m",))


def test_the_library_is_not_asked_where_the_table_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(number: str) -> str:
        raise AssertionError(f"asked for {number}")

    monkeypatch.setattr(numbers, "number_type", asked)
    assert match(UK_FIXED, route("+44", "uk"), route("+4420", "m", kind="mobile", known="mobile"))
    assert match(UK_FIXED, route("+44", "uk")) == ("+44", ("uk",))
    with pytest.raises(AssertionError):
        match(UK_MOBILE, route("+44", "uk", kind="mobile"))


def test_a_policy_is_indexed_once() -> None:
    policy = Policy(order=("a", "b", "a"), domains=(("MSN.test", "msn"),), local_domains=("CPM.test",))
    indexed = operator(policy)
    assert operator(policy) is indexed
    assert indexed.place == {"a": 0, "b": 1}
    assert indexed.domains == {"msn.test": "msn"}
    assert indexed.local == {"cpm.test"}


DIGITS = st.text(alphabet="123", max_size=4)


@given(number=DIGITS, prefixes=st.lists(DIGITS, max_size=6))
def test_as_a_plain_search_would_find(number: str, prefixes: list[str]) -> None:
    found = match("+" + number, *(route("+" + prefix, prefix) for prefix in prefixes))
    fitting = [prefix for prefix in prefixes if number.startswith(prefix)]
    assert (found[1][0] if found else None) == max(fitting, key=len, default=None)


def _served(prefix: str, network: str, carrier: str) -> Route:
    return Route(prefix=prefix, networks=(network,), carrier=carrier)


@pytest.mark.parametrize(
    ("facts", "networks"),
    [
        (NO_FACTS, ("range",)),
        (NumberFacts("", "234033", "ENUM"), ("carrier",)),
        (NumberFacts("", "234010", "ENUM"), ("range",)),
        (NumberFacts("fixed", "234033", "number table"), ("carrier",)),
    ],
)
def test_who_serves_a_number_now_wins_over_its_range(facts: NumberFacts, networks: tuple[str, ...]) -> None:
    routes = (route("+447400", "range"), _served("+44", "carrier", "234033"))
    found = match(UK_MOBILE, *routes, facts=facts)
    assert found is not None
    assert found[1] == networks
    if networks == ("carrier",):
        assert f"served by 234033 ({facts.source})" in found[0]


def test_the_operators_range_goes_over_what_is_known_of_a_number_and_that_over_the_plan() -> None:
    fixed = NumberFacts("fixed", "", "number table")
    routes = (route("+44", "all"), route("+44", "fixed", kind="fixed"))
    assert match(UK_MOBILE, *routes) == ("+44 mobile", ("all",))
    assert match(UK_MOBILE, *routes, facts=fixed) == ("+44 fixed", ("fixed",))
    assert match(UK_MOBILE, route("+447", "m", known="mobile"), *routes, facts=fixed) == ("+447 mobile", ("m",))
