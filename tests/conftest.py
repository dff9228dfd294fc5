"""For all tests: at the end, which programs of others took part and which did not."""

from __future__ import annotations

from collections import defaultdict

import pytest

Reports = dict[str, list[pytest.TestReport]]
_ORDER = ("failed", "error", "passed", "skipped")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a peer: "SIPp 3.6.1: 28 passed", "JsSIP: not run, node is not installed"."""
    peers: dict[str, Reports] = defaultdict(lambda: defaultdict(list))
    for outcome in _ORDER:
        for report in terminalreporter.stats.get(outcome, ()):
            for name, peer in getattr(report, "user_properties", ()):
                if name == "peer":
                    peers[peer][outcome].append(report)
    if peers:
        terminalreporter.section("interop peers")
        for peer, reports in sorted(peers.items()):
            terminalreporter.write_line(f"{peer}: {_what(reports)}")


def _what(reports: Reports) -> str:
    ran = [f"{len(reports[outcome])} {outcome}" for outcome in _ORDER[:3] if outcome in reports]
    reasons = {_reason(report) for report in reports.get("skipped", ())}
    return ", ".join(ran + [f"not run, {reason}" for reason in sorted(reasons)])


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
