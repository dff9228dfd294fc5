"""What a worker gives up before it reads the first foreign byte. POSIX; the stronger bounds are Linux's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from pathlib import Path
from typing import Final

from opencpm.media.values import Limits

_SET_NO_NEW_PRIVS: Final = 38
_SET_PDEATHSIG: Final = 1
_STANDARD_FILES: Final = 3
_NICENESS: Final = 10


def confine(limits: Limits) -> None:
    """No further file, socket or process; bounded memory; first to go when memory is short.

    With no descriptor to be had, neither a file nor a socket can be opened: whatever is needed is imported before.
    """
    _first_to_die()
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    os.closerange(_STANDARD_FILES, 4096)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_AS, limits.memory)
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _limit(resource.RLIMIT_NOFILE, _STANDARD_FILES)


def allow_cpu(limits: Limits) -> None:
    """For the next job: from now on so many seconds, then SIGXCPU ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + limits.cpu) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (value, value))


def _first_to_die() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
