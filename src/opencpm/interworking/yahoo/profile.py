"""What Yahoo can carry."""

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.interworking.yahoo.names import SCHEME
from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.protocols.ymsg import services


def profile(settings: YahooSettings) -> Profile:
    """Text, typing and sessions. Before version 16 nothing tells that a message has arrived; from then on the
    receiver's client does."""
    confirmed = {Status.DELIVERED} if settings.version >= services.ACKNOWLEDGED else set()
    return Profile(
        label="Yahoo",
        kind="im",
        schemes=frozenset({SCHEME}),
        needs_account=True,
        content_types=("text/plain",),
        max_bytes=settings.max_message_bytes,
        reports=frozenset({Status.ACCEPTED, *confirmed}),
        sessions=True,
        typing=True,
        presence=True,
        rosters=True,
        stores=settings.offline_messages,
    )
