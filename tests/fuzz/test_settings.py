"""Whatever stands in a settings file, the answer is settings or a :class:`SettingsError` with words in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.settings import Settings, SettingsError, load, parse

NAMES = st.sampled_from(
    [*Settings.model_fields, "type", "udp_port", "routes", "prefix", "networks", "limits", "nonsense"]
)
LEAVES = st.one_of(st.text(max_size=12), st.booleans(), st.integers(), st.floats(), st.none(), st.just("off"))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


def words(read: Callable[[], Settings]) -> str:
    """What is said of a file that cannot be used; "usable" of one that can."""
    try:
        read()
    except SettingsError as error:
        return str(error).strip()
    return "usable"


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans())
def test_values(values: dict[str, Any], with_the_least: bool) -> None:
    if with_the_least:
        values = {**values, "domain": "cpm.test", "secret_key": "k" * 40}
    assert words(lambda: parse(values))


@given(data=st.binary(max_size=200))
def test_files(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "settings-fuzz.toml"
    path.write_bytes(data)
    assert words(lambda: load(path))
