"""Locations, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.pushlocation import Location, LocationError, parse

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<rcsenvelope xmlns="urn:gsma:params:xml:ns:rcs:rcs:geolocation" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
 xmlns:gml="http://www.opengis.net/gml" xmlns:gs="http://www.opengis.net/pidflo/1.0" entity="tel:+12025550100">
<rcspushlocation id="a1" label="the  old bridge"><gp:geopriv><gp:location-info>
<gs:Circle srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>{pos}</gml:pos>
<gs:radius uom="urn:ogc:def:uom:EPSG::9001">10</gs:radius></gs:Circle></gp:location-info></gp:geopriv>
<timestamp>2026-11-23T08:02:26Z</timestamp></rcspushlocation></rcsenvelope>"""


@pytest.mark.parametrize(
    ("pos", "where"),
    [("26.1181289 -80.1283921", (26.1181289, -80.1283921)), (" -5,120 ", (-5.0, 120.0)), ("0 0", (0.0, 0.0))],
)
def test_a_position_and_its_name(pos: str, where: tuple[float, float]) -> None:
    assert parse(DOCUMENT.replace("{pos}", pos).encode()) == Location(*where, "the old bridge")


@pytest.mark.parametrize("pos", ["", "here", "91 0", "0 181", "1e5 3", "12", "nan nan"])
def test_what_is_nowhere(pos: str) -> None:
    with pytest.raises(LocationError):
        parse(DOCUMENT.replace("{pos}", pos).encode())


@given(st.binary(max_size=200))
def test_anything_else_is_none(body: bytes) -> None:
    with pytest.raises(LocationError):
        parse(body)
