"""Evidence for a terminal."""

from __future__ import annotations

from opencpm.cli.story_words import WIDTH, lines


def test_what_it_reads_like() -> None:
    evidence = {
        "at": 1.5,
        "octets": "00",
        "ok on the wire": True,
        "trail": {"why": "it is the one", "sms": [{"rule": "health", "kept": False, "evidence": "down"}]},
        "check": {"rule": "content", "kept": True, "evidence": "text/plain"},
        "SMSC log": {
            "pdu": "submit_sm",
            "status": "ESME_ROK",
            "sequence": 3,
            "source_addr": "1",
            "destination_addr": "2",
        },
        "MSN log": ["MSG 1", "MSG 2"],
        "long": "x" * 500,
    }
    shown = list(lines(evidence, ""))
    assert shown[:-1] == [
        "ok on the wire: yes",
        "trail:",
        "  why: it is the one",
        "  sms:",
        "    ✗ health: down",
        "check: ✓ content: text/plain",
        "SMSC log: submit_sm 1 → 2, ESME_ROK, sequence 3",
        "MSN log: MSG 1 | MSG 2",
    ]
    assert len(shown[-1]) == WIDTH
