"""The benchmark runs and says what it measured. No figure is judged here."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from opencpm.cli import main
from opencpm.lab.bench import SCENARIOS
from opencpm.lab.bench.texts import message
from opencpm.lab.bench.wire import ok
from opencpm.protocols.sip.message import parse

KEYS = {"sip_to_sms_receipt_us", "sip_to_sms_us", "no_storage_us", "sip_to_sip_us", "offline_store_us"}


def test_the_figures_that_are_asked_for_are_there() -> None:
    assert {one.key for one in SCENARIOS} >= KEYS


@pytest.mark.parametrize("key", ["sip_to_sms_receipt_us", "sip_to_sip_tcp_us"])
def test_it_measures(key: str) -> None:
    result = CliRunner().invoke(main, ["bench", "--json", "-n", "50", "-w", "10", "--only", key])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found[key] >= 0
    assert found["messages"] == 50
    assert "CPython" in found["python"] or "PyPy" in found["python"]


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
