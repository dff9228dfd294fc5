"""What MSN can carry."""

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp import dialects


def profile(settings: MsnSettings) -> Profile:
    """Text, typing and sessions; ACK says that the service has a message, never that somebody saw it."""
    return Profile(
        label="MSN",
        kind="im",
        schemes=frozenset({"msn"}),
        needs_account=True,
        content_types=("text/plain",),
        max_bytes=settings.max_message_bytes,
        reports=frozenset({Status.ACCEPTED}),
        sessions=True,
        typing=True,
        presence=True,
        rosters=True,
        stores=_stores(settings),
    )


def _stores(settings: MsnSettings) -> bool:
    """Whether a dialect that may be agreed on keeps messages for people who are offline."""
    return any(settings.keeps_offline(dialects.ALL[name]) for name in settings.offered)
