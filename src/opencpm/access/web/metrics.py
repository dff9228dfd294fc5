"""Figures in the Prometheus text format 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from opencpm.access.web.house import House
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.profile import HealthState

_STATES = frozenset(state.value for state in DeliveryState)


def text(house: House) -> str:
    return "\n".join(_lines(house)) + "\n"


def _lines(house: House) -> Iterator[str]:
    counts = house.messaging.store.counts()
    yield "# HELP opencpm_deliveries Deliveries in the store by state."
    yield "# TYPE opencpm_deliveries gauge"
    for state in sorted(_STATES):
        yield f'opencpm_deliveries{{state="{state}"}} {counts.get(state, 0)}'
    yield "# HELP opencpm_stored Rows in the store."
    yield "# TYPE opencpm_stored gauge"
    for kind, count in sorted(counts.items()):
        if kind not in _STATES:
            yield f'opencpm_stored{{kind="{_label(kind)}"}} {count}'
    yield "# HELP opencpm_connector_up Whether a connector can carry messages now."
    yield "# TYPE opencpm_connector_up gauge"
    connectors = list(house.messaging.connectors.values())
    for connector in connectors:
        up = int(connector.health().state is not HealthState.DOWN)
        yield f'opencpm_connector_up{{connector="{_label(connector.name)}"}} {up}'
    yield "# HELP opencpm_connector_backlog Deliveries handed to a connector and not settled."
    yield "# TYPE opencpm_connector_backlog gauge"
    for connector in connectors:
        yield f'opencpm_connector_backlog{{connector="{_label(connector.name)}"}} {connector.health().backlog}'
    yield "# HELP opencpm_accounts Linked accounts by network and state."
    yield "# TYPE opencpm_accounts gauge"
    for (network, state), number in sorted(_accounts(house).items()):
        yield f'opencpm_accounts{{network="{_label(network)}",state="{state}"}} {number}'
    yield "# HELP opencpm_web_pages Open event streams."
    yield "# TYPE opencpm_web_pages gauge"
    yield f"opencpm_web_pages {house.connector.hubs.count()}"
    yield "# HELP opencpm_web_unacknowledged Deliveries shown to a page and not acknowledged yet."
    yield "# TYPE opencpm_web_unacknowledged gauge"
    yield f"opencpm_web_unacknowledged {len(house.connector.handovers)}"


def _accounts(house: House) -> Counter[tuple[str, str]]:
    accounts = [account for subscriber in house.people.subscribers() for account in subscriber.accounts]
    return Counter((a.network, house.messaging.accounts.of(a).state.value) for a in accounts)


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
