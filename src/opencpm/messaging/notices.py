"""Tell the original sender what became of a message, as far as they asked (RFC 5438 §6.3)."""

from __future__ import annotations

from opencpm.domain.message import Disposition
from opencpm.domain.plan import Action
from opencpm.domain.report import Status
from opencpm.interfaces import Changes, DeliveryRecord
from opencpm.messaging.ground import Ground
from opencpm.messaging.records import finish, lease, notice_of, notice_record, wait

_ASKED = {  # plain integers: the operators of enum flags are slow
    Status.DELIVERED: int(Disposition.POSITIVE_DELIVERY),
    Status.DISPLAYED: int(Disposition.DISPLAY),
    Status.FAILED: int(Disposition.NEGATIVE_DELIVERY | Disposition.POSITIVE_DELIVERY),
    Status.ACCEPTED: int(Disposition.INTERWORKING),
}


def tell_sender(
    ground: Ground, about: DeliveryRecord, status: Status, changes: Changes, *, network: str = "", reason: str = ""
) -> list[DeliveryRecord]:
    """The notice's row, added to the unit of work, ready to be sent after the commit; none where it is not wanted.

    There is no notice about a notice. To a sender on a foreign network word goes back the way their message came, if
    that network takes it (``Profile.told``).
    """
    wanted = _ASKED.get(status)
    if wanted is None or about.notice is not None or not int(about.message.wants) & wanted:
        return []
    now = ground.clock.now()
    expires_at = now + ground.policy.limits.expiry_max
    if ground.directory.owner_of(about.message.sender) is None:
        plan = ground.plan_back(about.message, about.recipient, status, expires_at=expires_at)
        if plan is None:
            return []
    else:
        plan = ground.plan_home(about.recipient, about.message.sender)
    record = notice_record(about, notice_of(about, status, network=network, reason=reason), expires_at, now)
    if plan.action is Action.SEND:
        lease(record, plan, now)
    elif plan.action is Action.DEFER:
        wait(record, plan.not_before, plan.waits_for, now)
    else:
        finish(record, record.state.FAILED, now, error="no-route", detail=plan.reason)
    record.expires_at = expires_at
    changes.deliveries.append(record)
    return [record]
