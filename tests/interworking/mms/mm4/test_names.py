"""Ids of MM4 in our terms."""

from __future__ import annotations

from opencpm.interworking.mms.mm4.names import reference


def test_a_reference_is_of_one_peer_however_it_quotes() -> None:
    assert reference("one", '"m1@us"') == reference("one", "<m1@us>") == "one/m1@us"
    assert reference("two", "m1@us") != reference("one", "m1@us")
