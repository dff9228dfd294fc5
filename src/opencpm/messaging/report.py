"""What networks and devices claim about deliveries: match, record, and pass on to the sender.

A receipt may come before the response that names what it is about; then it is parked durably and matched later
(invariant 5). Receipts of a long message are aggregated: delivered when every segment is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opencpm.domain.address import Address
from opencpm.domain.delivery import FINAL, DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import message_ident
from opencpm.domain.report import Report, Status
from opencpm.domain.trail import Step
from opencpm.interfaces import Changes, DeliveryRecord
from opencpm.messaging import trail
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.ground import Ground
from opencpm.messaging.hints import told_state
from opencpm.messaging.notices import tell_sender
from opencpm.messaging.records import finish, update_of

_UNDELIVERABLE = SendError(Reason.UNDELIVERABLE, detail="the network could not deliver it")


class Reporting:
    """The way back of word about deliveries."""

    def __init__(self, ground: Ground, dispatch: Dispatch) -> None:
        self._ground = ground
        self._dispatch = dispatch
        dispatch.matched = self.reported

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        """See :meth:`opencpm.interfaces.Inbox.reported`."""
        changes = Changes()
        notices: list[DeliveryRecord] = []
        touched: list[DeliveryRecord] = []
        for report in reports:
            matched = self._match(report)
            if not matched:
                self._park(report, changes)
            for record, segment in matched:
                if self._apply(record, segment, report, changes, notices):
                    changes.updates.append(update_of(record))
                    touched.append(record)

        def committed(_: object) -> None:
            if done is not None:
                done()
            for record in touched:
                told_state(self._ground.bus, record)
            self._dispatch.follow(notices)

        self._ground.store.commit(changes, committed)

    def load_parked(self) -> None:
        """At start: reports that came before their response, in an earlier life."""
        for report in self._ground.store.parked(20_000):
            self._ground.working.park(report)

    # -- matching ----------------------------------------------------------------------------------------------

    def _match(self, report: Report) -> list[tuple[DeliveryRecord, int]]:
        if report.delivery_id:
            record = self._record(report.delivery_id)
            return [(record, 0)] if record else []
        if report.key:
            return self._by_key(report)
        return self._by_message_id(report)

    def _by_key(self, report: Report) -> list[tuple[DeliveryRecord, int]]:
        named = self._ground.working.named(report.network, report.key)
        if not named:
            rows = self._ground.store.referenced(report.network, report.key)
            named = [(row.delivery_id, row.reference) for row in rows]
        strong = [n for n in named if not n[1].weak]
        weak = [n for n in named if n[1].weak and n[1].check == report.check]
        for delivery_id, reference in reversed(strong or weak):
            if record := self._record(delivery_id):
                return [(record, reference.segment)]
        return []

    def _by_message_id(self, report: Report) -> list[tuple[DeliveryRecord, int]]:
        """A disposition notification: about the reporter's own copy of what the original sender sent."""
        if report.original_sender is None or report.reporter is None:
            return []
        reporter = self._ground.directory.owner_of(report.reporter)
        for sender in self._addresses(report.original_sender):
            ident = message_ident(sender, report.message_id)
            for stored in self._ground.store.deliveries_of(ident):
                owner = self._ground.directory.owner_of(stored.recipient)
                if stored.recipient == report.reporter or (reporter and owner and owner.id == reporter.id):
                    return [(self._record(stored.id) or stored, 0)]
        return []

    def _addresses(self, sender: Address) -> list[Address]:
        """The person may have sent under any of their addresses; devices know those of foreign networks by an alias
        behind our domain (``im:``), which does not say the network."""
        owner = self._ground.directory.owner_of(sender)
        if owner is None:
            known = [sender, self._ground.canonical(sender)]
            if sender.scheme == "im":
                foreign = (one.profile for one in self._ground.connectors.values() if not one.profile.access)
                schemes = {scheme for profile in foreign for scheme in profile.schemes} - {"tel"}
                known += [Address(scheme, sender.value) for scheme in sorted(schemes)]
            return list(dict.fromkeys(known))
        return [sender, *(a for a in owner.addresses if a != sender)]

    def _record(self, delivery_id: str) -> DeliveryRecord | None:
        """What is read from the store is kept in hand, so that two reports in a batch work on the same record."""
        record = self._ground.working.get(delivery_id)
        if record is None:
            record = self._ground.store.delivery(delivery_id)
            if record is not None and record.state not in FINAL:
                self._ground.working.hold(record)
        return record

    def _park(self, report: Report, changes: Changes) -> None:
        if report.key:
            self._ground.working.park(report)
            changes.parked.append(report)

    # -- effect ------------------------------------------------------------------------------------------------

    def _apply(
        self, record: DeliveryRecord, segment: int, report: Report, changes: Changes, notices: list[DeliveryRecord]
    ) -> bool:
        """Move the record on; whether anything changed. The first final word wins; DISPLAYED may follow DELIVERED."""
        now = self._ground.clock.now()
        said = f"{report.source}: {report.detail}" if report.detail else report.source
        if record.state in FINAL and not (
            report.status is Status.DISPLAYED and record.state is not DeliveryState.DISPLAYED
        ):
            return False
        if report.status is Status.DELIVERED:
            return self._delivered(record, segment, said, changes, notices, now)
        if report.status is Status.DISPLAYED:
            return self._displayed(record, said, changes, notices, now)
        if report.status is Status.FAILED:
            error = report.error or _UNDELIVERABLE
            self._dispatch.fail(record, error, changes, notices, f"{said} ({error.reason.value})")
            return True
        changes.trail.append(trail.line(record, Step.ACCEPTED, f"{said} ({report.status.value})", now))
        return False

    def _delivered(
        self,
        record: DeliveryRecord,
        segment: int,
        said: str,
        changes: Changes,
        notices: list[DeliveryRecord],
        now: float,
    ) -> bool:
        bit = 1 << segment
        if record.confirmed & bit:
            return False
        record.confirmed |= bit
        record.updated_at = now
        missing = max(1, record.segments) - record.confirmed.bit_count()
        if missing > 0:
            what = f"{said} (segment {segment + 1} of {record.segments})"
            changes.trail.append(trail.line(record, Step.ACCEPTED, what, now))
            return True
        finish(record, DeliveryState.DELIVERED, now)
        changes.trail.append(trail.line(record, Step.DELIVERED, said, now))
        notices += tell_sender(self._ground, record, Status.DELIVERED, changes)
        return True

    def _displayed(
        self, record: DeliveryRecord, said: str, changes: Changes, notices: list[DeliveryRecord], now: float
    ) -> bool:
        """Displayed implies delivered (RFC 5438), and is told as that too where nothing was told before:
        it may overtake the device's answer. A receiver may wish not to tell that they have read it."""
        if record.state is not DeliveryState.DELIVERED:
            notices += tell_sender(self._ground, record, Status.DELIVERED, changes)
        finish(record, DeliveryState.DISPLAYED, now)
        changes.trail.append(trail.line(record, Step.DISPLAYED, said, now))
        receiver = self._ground.directory.owner_of(record.recipient)
        if receiver is None or receiver.preferences.display_reports:
            notices += tell_sender(self._ground, record, Status.DISPLAYED, changes)
        return True
