"""What phones take by MMS, and are told, as data."""

from __future__ import annotations

from dataclasses import replace

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.interworking.mms import profile

from .settings import Mm1Settings


def profile_of(settings: Mm1Settings) -> Profile:
    """As all MMS; phones are told what became of what they sent, and we what became of our notifications."""
    told = {Status.DELIVERED, Status.FAILED}
    if settings.display_to_read:
        told.add(Status.DISPLAYED)
    return replace(profile.profile_of(settings), told=frozenset(told))
