"""What a telephone line can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.protocols.mm1.pdu import MEDIA_TYPE

from .settings import FixedLineSettings


def profile_of(settings: FixedLineSettings) -> Profile:
    """Text, and word of MMS where terminals take it. As centre the terminal itself acknowledges: delivered is known in
    the call. As terminal another centre keeps what cannot be delivered yet, and reports.
    """
    roles = {trunk.role for trunk in settings.trunks}
    reports = {Status.FAILED}
    if "centre" in roles:
        reports.add(Status.DELIVERED)
    if "terminal" in roles:
        reports |= {Status.ACCEPTED}
        if settings.receipts != "never":
            reports |= {Status.PENDING, Status.DELIVERED}
    return Profile(
        label=settings.label,
        kind="sms",
        schemes=frozenset({"tel"}),
        content_types=("text/plain", MEDIA_TYPE) if settings.notifications else ("text/plain",),
        max_segments=settings.max_segments,
        reports=frozenset(reports),
        told=frozenset({Status.DELIVERED, Status.FAILED}) if "centre" in roles else frozenset(),
        stores=roles == {"terminal"},
        number_types=frozenset(settings.number_types),
    )
