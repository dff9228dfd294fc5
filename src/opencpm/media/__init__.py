"""Content adaptation: pictures, sound and video made to fit what a receiver takes, in processes that may die.

Import what you need from here. Nothing below this line imports a decoder: those live in ``worker/``, which only the
worker processes import.
"""

from opencpm.domain.media import Adapted, Target
from opencpm.media.classes import CLASSES, ContentClass, target
from opencpm.media.formats import inspect
from opencpm.media.pool import Job, Pool
from opencpm.media.values import Inspection, Kind, Limits, MediaError

__all__ = [
    "CLASSES",
    "Adapted",
    "ContentClass",
    "Inspection",
    "Job",
    "Kind",
    "Limits",
    "MediaError",
    "Pool",
    "Target",
    "inspect",
    "target",
]
