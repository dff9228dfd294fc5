from __future__ import annotations

import pytest

from opencpm.protocols.resource_lists import Entry, ResourceLists, ResourceListsError, build, parse

NS = "urn:ietf:params:xml:ns:resource-lists"


def test_both_ways():
    entries = (
        Entry("sip:bob@cpm.test"),
        Entry("tel:+12025550102", "bcc"),
        Entry("sip:other@cpm.test?Session-Replaces=1&x=2", "cc", True, "C & D"),
    )
    assert parse(build(entries)) == ResourceLists(entries)


@pytest.mark.parametrize("namespace", ["copycontrol", "copyControl"])
def test_both_copy_control_namespaces(namespace):
    body = (
        f'<resource-lists xmlns="{NS}" xmlns:cp="urn:ietf:params:xml:ns:{namespace}"><list>'
        '<entry uri="sip:bob@cpm.test" cp:copyControl="to"/><entry uri="tel:+12025550102" cp:copyControl="bcc"/>'
        "</list></resource-lists>"
    )
    assert [e.copy_control for e in parse(body.encode()).entries] == ["to", "bcc"]


def test_nested_lists_references_and_repetitions():
    body = (
        f'<resource-lists xmlns="{NS}"><list><entry uri="sip:a@x"/><list><entry uri=" sip:b@x "/>'
        '<entry uri="sip:a@x"/></list><external anchor="https://xdm.cpm.test/l"/><entry-ref ref="r"/></list>'
        '<list><entry uri="sip:c@x"/></list></resource-lists>'
    )
    found = parse(body.encode())
    assert [e.uri for e in found.entries] == ["sip:a@x", "sip:b@x", "sip:c@x"]
    assert found.references == ("https://xdm.cpm.test/l", "r")


def test_too_many_entries():
    body = build([Entry(f"sip:u{i}@x") for i in range(11)])
    assert len(parse(body, max_entries=11).entries) == 11
    with pytest.raises(ResourceListsError, match="over 10"):
        parse(body, max_entries=10)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<list/>",
        b"<resource-lists><list><entry/></list></resource-lists>",
        b"<resource-lists>" + b"<list>" * 40 + b"</list>" * 40 + b"</resource-lists>",
        b'<!DOCTYPE r [<!ENTITY a "b">]><resource-lists/>',
    ],
)
def test_errors(body):
    with pytest.raises(ResourceListsError):
        parse(body)
