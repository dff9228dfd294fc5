"""Presence documents, built and read."""

import pytest

from opencpm.protocols.pidf import AWAY, BUSY, Pidf, PidfError, build, parse

BY_OTHERS = b"""<?xml version="1.0"?>
<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:d="urn:ietf:params:xml:ns:pidf:data-model"
 xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:bob@cpm.test">
<p:tuple id="a"><p:status><p:basic>closed</p:basic></p:status></p:tuple>
<p:tuple id="b"><p:status><p:basic>open</p:basic><x xmlns="urn:x"/></p:status><p:contact>sip:b</p:contact>
<p:note xml:lang="en">in a call</p:note><p:timestamp>2026-11-23T07:28:02Z</p:timestamp></p:tuple>
<d:person id="p"><r:activities><r:away/><r:on-the-phone/></r:activities></d:person></p:presence>"""


def test_of_several_places_the_most_available_and_of_several_activities_the_least() -> None:
    assert parse(BY_OTHERS) == Pidf("sip:bob@cpm.test", True, BUSY, "in a call", "2026-11-23T07:28:02Z")


@pytest.mark.parametrize(
    "document",
    [
        Pidf("sip:a@b", True),
        Pidf("sip:a@b", False, "", "back at <two> & three"),
        Pidf("sip:a@b", True, AWAY, "lunch", "2026-11-23T07:28:02Z"),
        Pidf("sip:a@b", None),
        Pidf('sip:"a"@b', True, BUSY),
    ],
)
def test_what_is_built_is_read(document: Pidf) -> None:
    assert parse(build(document)) == document


def test_an_activity_that_says_nothing() -> None:
    looking = BY_OTHERS.replace(b"<r:away/><r:on-the-phone/>", b"<r:looking-for-work/>")
    assert parse(looking).activity == ""


@pytest.mark.parametrize(
    "body", [b"", b"<x/>", b"<presence", b"<!DOCTYPE a><presence/>", b"<presence>" + b"<a>" * 50 + b"</a>" * 50]
)
def test_what_is_none(body: bytes) -> None:
    with pytest.raises(PidfError):
        parse(body)
