"""The benchmark runs and says what it measured. No figure is judged here."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from opencpm.cli import main
from opencpm.cli.demo_setup import prepare
from opencpm.lab.bench import SCENARIOS, kannel, measure_lines
from opencpm.lab.bench.texts import LONG_TEXT, message
from opencpm.lab.bench.wire import ok
from opencpm.protocols.gsm.segmentation import segment
from opencpm.protocols.sip.message import parse

KEYS = {
    "sip_to_sms_receipt_us",
    "sip_to_sms_us",
    "no_storage_us",
    "sip_to_sip_us",
    "offline_store_us",
    "sip_to_sms_long_us",
    "smpp_submit_route_submit_us",
    "mo_to_device_us",
}


def test_the_figures_that_are_asked_for_are_there() -> None:
    assert {one.key for one in SCENARIOS} >= KEYS


@pytest.mark.parametrize(
    "key",
    [
        "sip_to_sms_receipt_us",
        "sip_to_sip_tcp_us",
        "sip_to_sms_long_us",
        "smpp_submit_route_submit_us",
        "mo_to_device_us",
    ],
)
def test_it_measures(key: str) -> None:
    result = CliRunner().invoke(main, ["bench", "--json", "-n", "50", "-w", "10", "--only", key])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found[key] >= 0
    assert found["messages"] == 50
    assert "CPython" in found["python"] or "PyPy" in found["python"]


@pytest.mark.skipif(not kannel.installed(), reason="Kannel is not installed (Debian: kannel)")
def test_kannel_beside_us() -> None:
    result = CliRunner().invoke(main, ["bench", "--json", "-n", "20", "-w", "10", "--only", "kannel_us"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["kannel_messages"] == 20
    assert {key for key in kannel.KEYS if found[key] >= 0} == set(kannel.KEYS)
    assert not KEYS & found.keys()


async def test_lines_are_measured() -> None:
    found = await measure_lines(prepare, 5)
    assert found["line_texts_delivered"] == found["line_calls"] == 5
    assert found["line_call_ms"] > 0
    assert 1 <= found["line_calls_at_once"] <= 5


def test_a_long_message_has_three_segments() -> None:
    assert len(segment(LONG_TEXT, 1).segments) == 3


def test_its_message_is_one() -> None:
    build = message("load0", "cpm.test", "127.0.0.1:5", "UDP", receipt=True)
    request = parse(build("tel:+12025550101", 7))
    assert not request.flaw
    assert (request.method, request.uri) == ("MESSAGE", "tel:+12025550101")
    assert 1000 < len(build("tel:+12025550101", 7)) < 1400
    assert build("tel:+12025550101", 8) != build("tel:+12025550101", 7)
    answer = parse(ok(build("tel:+12025550101", 7)))
    assert answer.status == 200
    assert answer.get("cseq") == "1 MESSAGE"
    assert answer.get("to").endswith(";tag=load")
