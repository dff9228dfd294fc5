"""What MMS between centres can carry, as data."""

from __future__ import annotations

from dataclasses import replace

from opencpm.domain.profile import Profile
from opencpm.domain.report import Status
from opencpm.interworking.mms import profile

from .settings import Mm4Settings


def profile_of(settings: Mm4Settings) -> Profile:
    """As all MMS; and its people are told what became of their messages to ours."""
    told = {Status.DELIVERED, Status.FAILED}
    if settings.display_to_read:
        told.add(Status.DISPLAYED)
    return replace(profile.profile_of(settings), told=frozenset(told))
