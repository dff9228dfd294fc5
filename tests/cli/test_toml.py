"""The TOML that the demo writes reads back as it was."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opencpm.cli.demo_setup import toml

KEYS = st.text(min_size=1, max_size=8, alphabet=st.characters(codec="ascii", categories=("L", "N", "P", "Zs")))
TEXTS = st.text(max_size=20, alphabet=st.characters(exclude_categories=("Cc", "Cs")))
PLAIN = st.one_of(TEXTS, st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3))
ROWS = st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), min_size=1, max_size=3)
TABLES = st.recursive(
    st.dictionaries(KEYS, st.one_of(VALUES, ROWS), max_size=4),
    lambda inner: st.dictionaries(KEYS, st.one_of(VALUES, inner), max_size=4),
    max_leaves=8,
)


@given(TABLES)
def test_it_reads_back(table: dict[str, Any]) -> None:
    assert tomllib.loads("\n".join(toml(table))) == table
