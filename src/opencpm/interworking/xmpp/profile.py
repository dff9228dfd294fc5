"""What XMPP can carry, as data."""

from __future__ import annotations

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status

from .settings import XmppSettings


def profile_of(settings: XmppSettings, links: bool) -> Profile:
    """Everybody has an address there: no account is needed. Receipts and markers come from the receiver's own client.

    :param links: this server can show media over HTTP.
    """
    reports = {Status.ACCEPTED, Status.FAILED}
    if settings.receipts:
        reports |= {Status.DELIVERED, Status.DISPLAYED}
    return Profile(
        label=settings.label,
        kind="im",
        schemes=frozenset({"xmpp"}),
        content_types=("*/*",) if links else ("text/plain",),
        max_bytes=0 if links else settings.max_text_bytes,
        reports=frozenset(reports),
        sessions=True,
        typing=True,
        subject=True,
        told=frozenset({Status.DELIVERED, Status.DISPLAYED, Status.FAILED}),
        presence=True,
        rosters=True,
        stores=settings.offline_storage,
    )
