"""The deliveries now in hand, with the names under which networks will speak of them.

Memory stands in for reads of the store on the hot path, and covers what is handed to the store but not committed yet.
It is bounded; what falls out is read from the store again.
"""

from __future__ import annotations

from collections import OrderedDict

from opencpm.domain.report import Reference, Report
from opencpm.interfaces import DeliveryRecord, ReferenceRow

_RECORDS = 100_000
_BYTES = 256 << 20  # of content
_PARKED = 20_000


class WorkingSet:
    """Records by delivery id, references by (network, key), and reports that came before what they report on."""

    __slots__ = ("_bytes", "_keys", "_parked", "_records", "_references", "tried")

    def __init__(self) -> None:
        self._records: OrderedDict[str, DeliveryRecord] = OrderedDict()
        self._bytes = 0  # of content held, each delivery counted with its message
        self._keys: dict[str, list[tuple[str, str]]] = {}
        self._references: dict[tuple[str, str], list[tuple[str, Reference]]] = {}
        self._parked: OrderedDict[tuple[str, str], list[Report]] = OrderedDict()
        self.tried: dict[str, set[str]] = {}  # delivery id -> networks that refused it for good

    def __len__(self) -> int:
        return len(self._records)

    def hold(self, record: DeliveryRecord) -> None:
        before = self._records.get(record.id)
        self._records[record.id] = record
        self._bytes += record.message.size - (before.message.size if before is not None else 0)
        while len(self._records) > _RECORDS or (self._bytes > _BYTES and len(self._records) > 1):
            self._forget(next(iter(self._records)))

    def get(self, delivery_id: str) -> DeliveryRecord | None:
        return self._records.get(delivery_id)

    def release(self, delivery_id: str) -> None:
        """This delivery is final: nothing more is expected of it."""
        self._forget(delivery_id)

    def name(self, row: ReferenceRow) -> None:
        """Remember under which key a network will report on a delivery."""
        key = (row.network, row.reference.key)
        self._references.setdefault(key, []).append((row.delivery_id, row.reference))
        self._keys.setdefault(row.delivery_id, []).append(key)

    def named(self, network: str, key: str) -> list[tuple[str, Reference]]:
        return self._references.get((network, key), [])

    def park(self, report: Report) -> None:
        self._parked.setdefault((report.network, report.key), []).append(report)
        if len(self._parked) > _PARKED:
            self._parked.popitem(last=False)

    def unpark(self, network: str, key: str) -> list[Report]:
        return self._parked.pop((network, key), [])

    def _forget(self, delivery_id: str) -> None:
        gone = self._records.pop(delivery_id, None)
        if gone is not None:
            self._bytes -= gone.message.size
        self.tried.pop(delivery_id, None)
        for key in self._keys.pop(delivery_id, ()):
            rest = [named for named in self._references.get(key, ()) if named[0] != delivery_id]
            if rest:
                self._references[key] = rest
            else:
                self._references.pop(key, None)
