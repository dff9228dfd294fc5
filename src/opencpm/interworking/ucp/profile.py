"""What SMS over UCP can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.protocols.mm1.pdu import MEDIA_TYPE

from .settings import UcpSettings


def profile_of(settings: UcpSettings) -> Profile:
    """Text, and word of an MMS to a phone. Notifications say delivered or failed, never displayed; the centre keeps
    what must wait.
    """
    reports = {Status.ACCEPTED, Status.FAILED}
    if settings.receipts != "never":
        reports.add(Status.DELIVERED)
        if settings.buffered:
            reports.add(Status.PENDING)
    return Profile(
        label=settings.label,
        kind="sms",
        schemes=frozenset({"tel"}),
        content_types=("text/plain", MEDIA_TYPE),
        max_segments=settings.max_segments,
        reports=frozenset(reports),
        stores=True,
        number_types=frozenset(settings.number_types),
    )
