"""What XMPP can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status

from .settings import XmppSettings


def profile_of(settings: XmppSettings) -> Profile:
    """Nobody needs an account there. Receipts and markers come from the receiver's own client."""
    reports = {Status.ACCEPTED, Status.FAILED}
    if settings.receipts:
        reports |= {Status.DELIVERED, Status.DISPLAYED}
    return Profile(
        label=settings.label,
        kind="im",
        schemes=frozenset({"xmpp"}),
        content_types=("text/plain",),
        max_bytes=settings.max_text_bytes,
        reports=frozenset(reports),
        sessions=True,
        typing=True,
        subject=True,
        told=frozenset({Status.DELIVERED, Status.DISPLAYED, Status.FAILED}),
        presence=True,
        rosters=True,
        stores=settings.offline_storage,
    )
