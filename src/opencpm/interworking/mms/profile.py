"""What MMS can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status

from .settings import MmsSettings


def profile_of(settings: MmsSettings, *, schemes: frozenset[str] = frozenset({"tel"}), kind: str = "mms") -> Profile:
    """Pictures, sound, video and files, adapted to the class; the centre keeps what must wait. That a message was
    displayed is said only where the operator trusts read reports.
    """
    reports = {Status.ACCEPTED, Status.FAILED}
    if settings.delivery_reports != "never":
        reports |= {Status.PENDING, Status.DELIVERED}
    if settings.read_to_display and settings.read_reports != "never":
        reports.add(Status.DISPLAYED)
    return Profile(
        label=settings.label,
        kind=kind,
        schemes=schemes,
        content_types=("*/*",),
        reports=frozenset(reports),
        subject=True,
        stores=True,
        number_types=frozenset(settings.number_types)
        if "tel" in schemes
        else frozenset({"mobile", "fixed", "unknown"}),
    )
