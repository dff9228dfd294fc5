"""What a confined process can no longer do; asked in a process of its own."""

import asyncio
import subprocess
import sys

import pytest

ATTEMPTS = {
    "open a file": "open('/etc/passwd')",
    "write a file": "open('opencpm-was-here', 'w')",
    "open a socket": "__import__('socket').socket()",
    "start a process": "__import__('subprocess').run(['true'])",
    "take much memory": "bytearray(2**30)",
}
SCRIPT = """
import socket, subprocess
from opencpm.media.values import Limits
from opencpm.media.worker.confine import allow_cpu, confine
confine(Limits(memory=2**28, cpu=1))
allow_cpu(Limits(cpu=0))
try:
    {attempt}
except (OSError, MemoryError) as error:
    print("refused")
"""


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=list(ATTEMPTS))
def test_refused(attempt):
    script = SCRIPT.format(attempt=ATTEMPTS[attempt])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "refused\n", done.stderr


async def test_time_on_the_processor_ends():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT.format(attempt="while True: pass"))
    assert await process.wait() == -24  # SIGXCPU
