"""What a message costs the server: CPU time of its process, under load from others."""

from opencpm.lab.bench.accounts import KEYS as ACCOUNT_KEYS
from opencpm.lab.bench.accounts import Linked, measure_accounts
from opencpm.lab.bench.lines import KEYS as LINE_KEYS
from opencpm.lab.bench.lines import measure_lines
from opencpm.lab.bench.run import SCENARIOS, Ready, Rig, measure

__all__ = [
    "ACCOUNT_KEYS",
    "LINE_KEYS",
    "SCENARIOS",
    "Linked",
    "Ready",
    "Rig",
    "measure",
    "measure_accounts",
    "measure_lines",
]
