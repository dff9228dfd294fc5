"""The scenario of many linked accounts, with a few."""

from opencpm.cli.bench import prepare_accounts
from opencpm.lab.bench import ACCOUNT_KEYS, measure_accounts


async def test_a_few_accounts() -> None:
    found = await measure_accounts(prepare_accounts, count=6, rest=0.2)
    assert set(ACCOUNT_KEYS) <= set(found)
    assert (found["msn_accounts"], found["msn_version"]) == (6, 18)
    assert found["msn_restore_seconds"] > 0
    assert 0 <= found["msn_rest_cpu_percent"] < 100
