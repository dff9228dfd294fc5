from __future__ import annotations

import pytest

from opencpm.protocols.cpim import parse as parse_cpim
from opencpm.protocols.iscomposing import IsComposing, IsComposingError, build, parse
from tests.transcripts.sip_script import read


@pytest.mark.parametrize(
    "state",
    [IsComposing(True, refresh=60), IsComposing(False), IsComposing(True, "image/*", 90, "2026-11-23T07:28:02Z")],
)
def test_both_ways(state):
    assert parse(build(state)) == state


def test_recorded_pager_mode():
    event = next(e for e in read("sip-pager-iscomposing.txt") if b"<isComposing" in e.data)
    assert parse(event.data.partition(b"\r\n\r\n")[2]) == IsComposing(True, "text/plain", 120)


def test_recorded_in_session():
    event = next(e for e in read("sip-msrp-chat-session.txt") if b"<isComposing" in e.data)
    cpim = parse_cpim(event.data.partition(b"\r\n\r\n")[2].partition(b"\r\n-------")[0])
    assert parse(cpim.content) == IsComposing(True, "text", 60)


def test_unknown_state_is_idle_and_bad_refresh_the_default():
    body = b"<isComposing><state>dancing</state><refresh>-1</refresh></isComposing>"
    assert parse(body) == IsComposing(False, "text/plain", 120)


@pytest.mark.parametrize("body", [b"", b"<isComposing/>", b"<state>active</state>", b"<a" * 5000])
def test_errors(body):
    with pytest.raises(IsComposingError):
        parse(body)
