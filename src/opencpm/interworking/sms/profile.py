"""What SMS can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.protocols.mm1.pdu import MEDIA_TYPE

from .settings import SmsSettings


def profile_of(settings: SmsSettings) -> Profile:
    """Text, and word of an MMS to a phone. Receipts say delivered or failed and never displayed; the SMSC keeps what
    cannot be delivered yet.
    """
    reports = {Status.ACCEPTED, Status.FAILED}
    if settings.receipts != "never":
        reports |= {Status.PENDING, Status.DELIVERED}
    return Profile(
        label=settings.label,
        kind="sms",
        schemes=frozenset({"tel"}),
        content_types=("text/plain", MEDIA_TYPE),
        max_segments=settings.max_segments,
        reports=frozenset(reports),
        recalls=True,
        stores=True,
        number_types=frozenset(settings.number_types),
    )
